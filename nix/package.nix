{
  lib,
  buildNpmPackage,
  importNpmLock,
  nodejs,
  # Where Nix fetches the npm packages from, without a slash at the end. package-lock.json holds their hashes and names no
  # registry, so that it works with any mirror; neither does this file.
  npmRegistry ? throw "orphand: pass npmRegistry, the URL of an npm registry: package.override { npmRegistry = ...; }",
}:
let
  root = ./..;
  lock = lib.importJSON (root + "/package-lock.json");
  nameOf = path: lib.last (lib.splitString "node_modules/" path);
  resolved =
    path: entry:
    let
      name = entry.name or (nameOf path);
    in
    if entry ? integrity && !(entry ? resolved) then
      entry // { resolved = "${npmRegistry}/${name}/-/${baseNameOf name}-${entry.version}.tgz"; }
    else
      entry;
  packageLock = lock // {
    packages = builtins.mapAttrs resolved lock.packages;
  };
in
buildNpmPackage {
  pname = "orphand";
  inherit (lock) version;
  src = lib.fileset.toSource {
    inherit root;
    fileset = lib.fileset.difference root (
      lib.fileset.unions (
        map lib.fileset.maybeMissing [
          ../node_modules
          ../dist
          ../.tap
        ]
      )
    );
  };
  npmDeps = importNpmLock {
    npmRoot = root;
    inherit packageLock;
  };
  inherit (importNpmLock) npmConfigHook;
  # Nothing has to be compiled: koffi's native part comes ready-made.
  npmFlags = [ "--ignore-scripts" ];
  # For the units, which run this node with options of their own instead of the wrapper in bin/.
  passthru = { inherit nodejs; };
  meta = {
    description = "Finds processes that outlived their container and still hold the host's ports, proves it, and ends exactly those";
    license = lib.licenses.mit;
    mainProgram = "orphand";
    platforms = lib.platforms.linux;
  };
}
