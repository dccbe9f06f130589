import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { useHost, useTool } from "waypost/react";

const baseUrl: string = import.meta.env.VITE_WAYPOST_URL;

function Counter() {
  const [count, setCount] = useState(0);
  const host = useHost({ baseUrl, label: "counter" });
  useTool(host, { name: "add", description: "Adds to the count" }, ({ by }: { by: number }) => {
    setCount(count + by);
    return count + by;
  });
  return (
    <p>
      <output>{host.state}</output> <code>{host.code}</code> <b>{count}</b>
    </p>
  );
}

const root = document.getElementById("root");
if (root) createRoot(root).render(<StrictMode><Counter /></StrictMode>);
