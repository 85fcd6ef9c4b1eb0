/**
 * Which chain the node follows: asked at each new connection, and again until it has answered over that one.
 *
 * Must never take an answer from before a connection broke: what is there afterwards may be another node.
 */
export class Genesis {
  /** The connection that is asked; an answer over another one is not listened to. */
  private connection = 0;
  private known = false;
  private asking = false;

  constructor(
    private readonly ask: () => Promise<string>,
    private readonly told: (genesis: string) => void,
  ) {}

  /** There is a new connection. Resolves when it was asked, whether or not it has answered. */
  connected(): Promise<void> {
    this.connection += 1;
    this.known = false;
    this.asking = false;
    return this.look();
  }

  /** The node is there, and says things: if it hasn't answered this yet, it is asked again. */
  async look(): Promise<void> {
    if (this.known || this.asking) return;
    const { connection } = this;
    const isThis = () => connection === this.connection;
    this.asking = true;
    let genesis: string;
    try {
      genesis = await this.ask();
    } catch {
      // It is asked again when the node says something, or comes again.
      if (isThis()) this.asking = false;
      return;
    }
    if (!isThis()) return;
    this.known = true;
    this.asking = false;
    this.told(genesis);
  }
}
