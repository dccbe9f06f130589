# The message workerd reads as a Pyodide bundle. Only ordinals and types decide the layout, so the names are ours.
@0xd2a6f0c7b9e14f53;

struct Bundle {
  modules @0 :List(Module);
}

struct Module {
  name @0 :Text;
  union {
    src @1 :Data;
    wasm @4 :Data;
    data @5 :Data;
    json @6 :Text;
  }
  type @2 :Type;
  declaration @3 :Text;  # stays empty
  cache @7 :Data;        # stays empty

  enum Type {
    bundle @0;
    builtin @1;
    internal @2;
  }
}
