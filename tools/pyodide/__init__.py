"""The Pyodide bundle that workerd loads, built from the npm package."""
