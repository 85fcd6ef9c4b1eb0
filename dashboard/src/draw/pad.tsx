/** A pad to draw a digit on, with mouse, finger or pen. Whoever can't draw takes one of the held-out digits instead. */
import { useEffect, useRef } from "preact/hooks";
import type { Point, Stroke } from "./strokes";

export const SIDE = 240;

interface Props {
  strokes: Stroke[];
  disabled: boolean;
  onDraw: (strokes: Stroke[]) => void;
}

export function Pad({ strokes, disabled, onDraw }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useRef<Stroke | undefined>(undefined);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context) return;
    const scale = devicePixelRatio || 1;
    element.width = SIDE * scale;
    element.height = SIDE * scale;
    context.scale(scale, scale);
    context.clearRect(0, 0, SIDE, SIDE);
    context.lineWidth = 16;
    context.lineCap = "round";
    context.lineJoin = "round";
    context.strokeStyle = getComputedStyle(element).color;
    for (const stroke of strokes) {
      context.beginPath();
      stroke.forEach(({ x, y }, index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
      const [only] = stroke;
      if (stroke.length === 1 && only) context.lineTo(only.x + 0.1, only.y);
      context.stroke();
    }
  }, [strokes]);

  const at = (event: PointerEvent): Point => {
    const bounds = canvas.current?.getBoundingClientRect();
    const scale = SIDE / (bounds?.width || SIDE);
    return { x: (event.clientX - (bounds?.left ?? 0)) * scale, y: (event.clientY - (bounds?.top ?? 0)) * scale };
  };
  const down = (event: PointerEvent) => {
    if (disabled || event.button !== 0) return;
    canvas.current?.setPointerCapture(event.pointerId);
    drawing.current = [at(event)];
    onDraw([...strokes, drawing.current]);
  };
  const move = (event: PointerEvent) => {
    if (!drawing.current) return;
    drawing.current = [...drawing.current, at(event)];
    onDraw([...strokes.slice(0, -1), drawing.current]);
  };
  const up = () => {
    drawing.current = undefined;
  };
  return (
    <canvas
      ref={canvas}
      class="pad"
      width={SIDE}
      height={SIDE}
      role="img"
      aria-label={strokes.length === 0 ? "Empty pad for a digit" : "Pad with your digit"}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={up}
    />
  );
}
