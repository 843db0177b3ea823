"""`make run`: check the machine, prepare the site, start its processes (`Procfile`) and say when it is ready."""
