"""Programs that call the endpoint with a client certificate, for people to copy: ``{names}`` are put in afterwards.

Each trusts the endpoint by the bundle alone, and shows the answer whatever its status is: a refusal says why.
"""

from __future__ import annotations

JAVA = """// Client.java, run by: java Client.java
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

class Client {
  public static void main(String[] arguments) throws Exception {
    char[] password = System.getenv("KEYSTORE_PASSWORD").toCharArray();
    KeyStore keystore = KeyStore.getInstance(new File("{name}.p12"), password);
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(keystore, password);

    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    try (InputStream bundle = new FileInputStream("{bundle}")) {
      for (Certificate ca : CertificateFactory.getInstance("X.509").generateCertificates(bundle)) {
        trusted.setCertificateEntry("ca-" + trusted.size(), ca);
      }
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);

    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    HttpClient client = HttpClient.newBuilder().sslContext(context).build();
    HttpRequest request = HttpRequest.newBuilder(URI.create("{url}/whoami")).build();
    System.out.println(client.send(request, BodyHandlers.ofString()).body());
  }
}"""

PYTHON = """import http.client
{import os}import ssl

context = ssl.create_default_context(cafile="{bundle}")
context.load_cert_chain({identity})
connection = http.client.HTTPSConnection("{host}", context=context)
connection.request("GET", "/whoami")
print(connection.getresponse().read().decode())"""

NODE = """const fs = require("node:fs");
const https = require("node:https");

const options = {
  ca: fs.readFileSync("{bundle}"),
{identity}
  passphrase: process.env.KEYSTORE_PASSWORD,
};
https.get("{url}/whoami", options, (answer) => answer.pipe(process.stdout));"""

DOTNET = """// .NET 9 or later
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

var password = Environment.GetEnvironmentVariable("KEYSTORE_PASSWORD");
var certificate = X509CertificateLoader.LoadPkcs12FromFile("{name}.p12", password);
var trust = new X509ChainPolicy {
    TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck,
};
trust.CustomTrustStore.ImportFromPemFile("{bundle}");
var handler = new SocketsHttpHandler {
    SslOptions = new SslClientAuthenticationOptions {
        ClientCertificates = new X509CertificateCollection { certificate }, CertificateChainPolicy = trust,
    },
};
using var client = new HttpClient(handler);
var answer = await client.GetAsync("{url}/whoami");
Console.WriteLine(await answer.Content.ReadAsStringAsync());"""

OPENSSL = """printf 'GET /whoami HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n' | \\
  openssl s_client -quiet -connect {host_and_port} -servername {server_name} \\
  -CAfile {bundle} -verify_return_error \\
  {identity}"""
