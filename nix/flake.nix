{
  description = "orphand: finds processes that outlived their container and frees the ports that they hold";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEach = nixpkgs.lib.genAttrs systems;
    in
    {
      nixosModules.default = ./module.nix;
      packages = forEach (system: {
        default = nixpkgs.legacyPackages.${system}.callPackage ./package.nix { };
      });
      overlays.default = final: _: { orphand = final.callPackage ./package.nix { }; };
      # The module evaluated by the real nixpkgs, daemon included.
      checks = forEach (system: {
        module =
          (nixpkgs.lib.nixosSystem {
            inherit system;
            modules = [
              self.nixosModules.default
              {
                services.orphand = {
                  enable = true;
                  daemon.enable = true;
                };
                boot.isContainer = true;
                system.stateVersion = "25.05";
              }
            ];
          }).config.system.build.etc;
      });
    };
}
