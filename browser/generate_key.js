/** The page `Generate a new private key`. */
import { canMakeKeys } from "./view_start.js";

await canMakeKeys();
