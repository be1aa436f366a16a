import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.xml.XMLConstants;
import javax.xml.parsers.SAXParser;
import javax.xml.parsers.SAXParserFactory;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.Schema;
import javax.xml.validation.SchemaFactory;
import javax.xml.validation.Validator;
import org.xml.sax.helpers.DefaultHandler;

/** The JDK's Xerces: for each line read, one slice of SAX parsing and one of streaming validation, in MB/s. */
public class JdkBench {
    interface Run {
        void run() throws Exception;
    }

    static double throughput(int size, Run run) throws Exception {
        long start = System.nanoTime();
        long runs = 0;
        while (System.nanoTime() - start < 100_000_000L) {
            for (int i = 0; i < 8; i++) {
                run.run();
            }
            runs += 8;
        }
        return runs * (double) size / ((System.nanoTime() - start) / 1e9) / 1e6;
    }

    public static void main(String[] args) throws Exception {
        Schema schema = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI).newSchema(new File(args[0]));
        byte[] document = Files.readAllBytes(Path.of(args[1]));
        SAXParserFactory factory = SAXParserFactory.newInstance();
        factory.setNamespaceAware(true);
        SAXParser parser = factory.newSAXParser();
        Validator validator = schema.newValidator();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        while (input.readLine() != null) {
            double parse = throughput(document.length,
                () -> parser.parse(new ByteArrayInputStream(document), new DefaultHandler()));
            double both = throughput(document.length,
                () -> validator.validate(new StreamSource(new ByteArrayInputStream(document))));
            System.out.println(parse + " " + both);
        }
    }
}
