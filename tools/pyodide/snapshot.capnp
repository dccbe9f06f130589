# A Worker that exists only to start Python: `workerd test --python-save-baseline-snapshot` runs it up to the point
# where a Worker's own files would be loaded, keeps the memory as a file and stops.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(
    name = "snapshot",
    worker = (
      modules = [(name = "entry.py", pythonModule = "def test(): pass")],
      compatibilityDate = "2026-11-17",
      compatibilityFlags = [
        "python_workers", "python_workers_development", "experimental", "disable_python_dedicated_snapshot",
        # A plain function as the handler, so that the SDK is not needed.
        "disable_python_no_global_handlers", "disable_python_external_sdk",
      ],
    ),
  )],
);
