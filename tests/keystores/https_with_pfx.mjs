/**
 * Present a keystore to a TLS server that demands a client certificate: JSON {pfx (base64), passphrase, key, cert, ca}
 * on stdin; on stdout JSON {authorized, chain: [base64 DER as the server saw it, the leaf first]}.
 */
import { once } from "node:events";
import https from "node:https";
import { text } from "node:stream/consumers";

const { pfx, passphrase, key, cert, ca } = JSON.parse(await text(process.stdin));

/** The certificates from the leaf to the root, as the server's TLS library linked them. */
function chainOf(certificate) {
  const chain = [];
  for (let one = certificate; one?.raw && !chain.includes(one); one = one.issuerCertificate) chain.push(one);
  return chain.map((one) => one.raw.toString("base64"));
}

const demanding = { key, cert, ca, requestCert: true, rejectUnauthorized: true };
const server = https.createServer(demanding, (request, response) => {
  const { socket } = request;
  response.end(JSON.stringify({ authorized: socket.authorized, chain: chainOf(socket.getPeerCertificate(true)) }));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const address = { host: "127.0.0.1", port: server.address().port, ca: cert, agent: false };
const request = https.get({ ...address, pfx: Buffer.from(pfx, "base64"), passphrase });
const [response] = await once(request, "response");
console.log(await text(response));
server.close();
