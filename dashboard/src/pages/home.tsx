/** The first view: everything at one glance, in the order of importance. */
import { useEffect } from "preact/hooks";
import { Happened } from "../panels/happened";
import { ModelPanel } from "../panels/model";
import { NetworkPanel } from "../panels/network";
import { ThisPc } from "../panels/this-pc";
import { Wallet } from "../panels/wallet";

export function Home() {
  useEffect(() => {
    document.title = "HydraAI";
  }, []);
  return (
    <div class="home">
      <h1 class="hidden">Dashboard</h1>
      <ThisPc />
      <Wallet />
      <ModelPanel />
      <NetworkPanel />
      <Happened />
    </div>
  );
}
