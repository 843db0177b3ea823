import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.Enumeration;

/** Opens a PKCS#12 file by the KeyStore API and prints what it finds: `java Reader FILE`, the password on stdin. */
public final class Reader {
    public static void main(String[] arguments) throws Exception {
        char[] password = new String(System.in.readAllBytes(), StandardCharsets.US_ASCII).toCharArray();
        KeyStore keystore = KeyStore.getInstance("PKCS12");
        try (InputStream file = new FileInputStream(arguments[0])) {
            keystore.load(file, password);
        }
        Enumeration<String> aliases = keystore.aliases();
        while (aliases.hasMoreElements()) {
            String alias = aliases.nextElement();
            System.out.println("alias " + alias);
            for (Certificate certificate : keystore.getCertificateChain(alias)) {
                System.out.println("certificate " + Base64.getEncoder().encodeToString(certificate.getEncoded()));
            }
            System.out.println("verified " + signsForItsCertificate(keystore, alias, password));
        }
    }

    private static boolean signsForItsCertificate(KeyStore keystore, String alias, char[] password) throws Exception {
        PrivateKey key = (PrivateKey) keystore.getKey(alias, password);
        String algorithm = key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
        byte[] message = "a message".getBytes(StandardCharsets.US_ASCII);
        Signature signer = Signature.getInstance(algorithm);
        signer.initSign(key);
        signer.update(message);
        byte[] signature = signer.sign();
        Signature verifier = Signature.getInstance(algorithm);
        verifier.initVerify(keystore.getCertificate(alias));
        verifier.update(message);
        return verifier.verify(signature);
    }
}
