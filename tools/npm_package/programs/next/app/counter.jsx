"use client";
import { useState } from "react";
import { useHost, useTool } from "waypost/react";

export function Counter() {
  const [count, setCount] = useState(0);
  const host = useHost({ baseUrl: process.env.NEXT_PUBLIC_WAYPOST_URL, label: "counter" });
  useTool(host, { name: "add", description: "Adds to the count" }, ({ by }) => {
    setCount(count + by);
    return count + by;
  });
  return (
    <p>
      <output>{host.state}</output> <code>{host.code}</code> <b>{count}</b>
    </p>
  );
}
