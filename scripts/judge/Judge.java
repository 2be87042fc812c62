import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.validation.ValidationEngine;
import org.hl7.fhir.validation.instance.advisor.BasePolicyAdvisorForFullValidation;
import org.hl7.fhir.validation.service.model.InstanceValidatorParameters;

/**
 * Asks HL7's validator about each line of standard input, which is one resource in JSON, and writes
 * a line of JSON for each thing that it says.
 *
 * <p>The arguments are FHIR packages to load beside R4's own. Nothing is fetched: {@code user.home}
 * names the folder with the validator's cache of packages, and no terminology server is asked.
 */
public final class Judge {
  private static final String R4 = "4.0.1";

  public static void main(String[] packages) throws Exception {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err); // what the validator has to tell of itself
    ValidationEngine engine = engine(packages);
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    int index = 0;
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      for (ValidationMessage message : judged(engine, line)) {
        out.println(asJson(index, message));
      }
      index++;
    }
  }

  private static ValidationEngine engine(String[] packages) throws Exception {
    InstanceValidatorParameters parameters = new InstanceValidatorParameters();
    // That every resource should have a narrative is advice, not a rule.
    parameters.setBestPracticeLevel(BestPracticeWarningLevel.Ignore);
    // Examples that guides publish are full of these.
    boolean examples = Boolean.getBoolean("examples");
    parameters.setAllowExampleUrls(examples);
    ValidationEngine engine =
        new ValidationEngine.ValidationEngineBuilder()
            .withVersion(R4)
            .withNoTerminologyServer()
            .withDefaultInstanceValidatorParameters(parameters)
            .fromSource("hl7.fhir.r4.core#" + R4);
    // Whether references lead somewhere is for `threadwell verify`: here each resource is alone.
    engine.setPolicyAdvisor(
        new BasePolicyAdvisorForFullValidation(
            ReferenceValidationPolicy.CHECK_TYPE_IF_EXISTS, Set.of()));
    // Without this the validator looks for a server all the same, and fails for want of one.
    engine.getContext().setCanRunWithoutTerminology(true);
    engine.getContext().setNoTerminologyServer(true);
    engine.setAllowExampleUrls(examples);
    engine.setDisplayWarnings(examples);
    for (String name : packages) {
      engine.getIgLoader().loadIg(engine.getIgs(), engine.getBinaries(), name, false);
    }
    return engine;
  }

  private static List<ValidationMessage> judged(ValidationEngine engine, String line)
      throws Exception {
    List<ValidationMessage> messages = new ArrayList<>();
    byte[] content = line.getBytes(StandardCharsets.UTF_8);
    engine.validate(content, FhirFormat.JSON, new ArrayList<>(), messages);
    return messages;
  }

  private static String asJson(int index, ValidationMessage message) {
    JsonObject json = new JsonObject();
    json.addProperty("index", index);
    json.addProperty("severity", message.getLevel().toCode());
    json.addProperty("location", message.getLocation());
    json.addProperty("text", message.getMessage());
    json.addProperty("id", message.getMessageId());
    return json.toString();
  }
}
