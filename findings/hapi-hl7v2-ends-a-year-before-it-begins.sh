#!/usr/bin/env bash
# HAPI's HL7 v2 library puts a birth in 1980 into November 1979, and one in April into March.
#
# Package    ca.uhn.hapi:hapi-structures-v25 2.6.0 (Maven Central), HL7 v2 in Java
# Expected   a time may end behind the year or the month, which says how exact it is (HL7 v2.5, §2.A.21 DT, §2.A.22 DTM:
#            YYYY[MM[DD...]]]). As a Date it is a moment within that year or month, its first as a rule, or refused
# Seen       a part that is missing is a nought, and Java's lenient calendar goes back from there: "1980" is day 0 of
#            month 0, 30 November 1979, and "198004" 31 March 1980; getValueAsCalendar() says the same, and DT as TS.
#            getYear() of the same value is 1980, and with the day the Date is right. Nothing is raised or logged.
#            Whoever was born "1980" is 18 on 30 November 1997, a month before the year in which she may be
# So         ask getMonth() and getDay() for 0 before getValueAsDate(), and keep the precision (FHIR: birthDate "1980")
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>seen</groupId>
  <artifactId>seen</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>ca.uhn.hapi</groupId>
      <artifactId>hapi-structures-v25</artifactId>
      <version>2.6.0</version>
    </dependency>
  </dependencies>
</project>
XML
mvn -q -B -Dmaven.repo.local="$folder/m2" dependency:copy-dependencies -DoutputDirectory=lib >mvn.log
cat >Seen.java <<'JAVA'
import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.model.v25.datatype.DTM;
import ca.uhn.hl7v2.model.v25.message.ADT_A01;
import ca.uhn.hl7v2.parser.PipeParser;
import java.text.SimpleDateFormat;
import java.util.Calendar;

public class Seen {
  static final String HEAD = "MSH|^~\\&|A|B|C|D|20240513150400||ADT^A01^ADT_A01|1|P|2.5\r";

  static void look(String written, int year, String expected) throws Exception {
    PipeParser parser = new DefaultHapiContext().getPipeParser();
    String text = HEAD + "EVN||20240513150400\rPID|1||77^^^H^MR||Wong^Mia||" + written + "|F\rPV1|1|O\r";
    DTM birth = ((ADT_A01) parser.parse(text)).getPID().getDateTimeOfBirth().getTime();
    SimpleDateFormat day = new SimpleDateFormat("yyyy-MM-dd");
    String found = day.format(birth.getValueAsDate());
    Calendar calendar = birth.getValueAsCalendar();
    System.out.println(birth.getValue() + " is " + found + ", its year " + birth.getYear());
    if (!found.equals(expected) || !day.format(calendar.getTime()).equals(expected)) {
      throw new AssertionError(found);
    }
    if (birth.getYear() != year) throw new AssertionError(birth.getYear());
  }

  public static void main(String[] arguments) throws Exception {
    look("19800412", 1980, "1980-04-12");
    look("1980041209", 1980, "1980-04-12");
    look("1980", 1980, "1979-11-30");
    look("198004", 1980, "1980-03-31");
    look("198001", 1980, "1979-12-31");
    System.out.println("OK: as described");
  }
}
JAVA
java -cp 'lib/*' Seen.java 2>/dev/null
