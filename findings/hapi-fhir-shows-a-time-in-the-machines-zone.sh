#!/usr/bin/env bash
# HAPI FHIR shows the evening of an American visit as the next morning, and does not say in which zone.
#
# Package    ca.uhn.hapi.fhir:hapi-fhir-structures-r4 8.12.1 with org.hl7.fhir.r4 6.9.12 (Maven Central), on Java 17
# Expected   toHumanDisplay() shows a dateTime by the offset that it has, whatever the machine's zone, and
#            toHumanDisplayLocalTimezone() by the machine's: so say both in their documentation. DateTimeType.add() changes
#            what it is told to change
# Seen       both give the machine's: 2024-05-13T23:30:00-04:00 is "May 14, 2024, 3:30:00 AM" on a server in UTC, and "May
#            14, 2024, 12:30:00 PM" in Tokyo; an instant as well. Neither names a zone. A day later than
#            15:04:00.123456789 is 15:04:00.123: 456 microseconds are gone; setMinute() keeps them. Nothing is raised
# So         format getValueAsString() with java.time's OffsetDateTime for what a person reads, and for sums
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
      <groupId>ca.uhn.hapi.fhir</groupId>
      <artifactId>hapi-fhir-structures-r4</artifactId>
      <version>8.12.1</version>
    </dependency>
  </dependencies>
</project>
XML
mvn -q -B -Dmaven.repo.local="$folder/m2" dependency:copy-dependencies -DoutputDirectory=lib >mvn.log
cat >Seen.java <<'JAVA'
import java.util.Calendar;
import java.util.Locale;
import java.util.TimeZone;
import org.hl7.fhir.r4.model.DateTimeType;
import org.hl7.fhir.r4.model.InstantType;

public class Seen {
  static void check(String found, String expected) {
    // Java's formats have had a narrow space before AM and PM
    String plain = found.replace('\u202f', ' ');
    System.out.println(TimeZone.getDefault().getID() + ": " + plain);
    if (!plain.equals(expected)) throw new AssertionError(expected);
  }

  public static void main(String[] arguments) {
    Locale.setDefault(Locale.US);
    String evening = "2024-05-13T23:30:00-04:00";
    String expected = arguments[0];
    check(new DateTimeType(evening).toHumanDisplay(), expected);
    check(new InstantType(evening).toHumanDisplay(), expected);
    check(new DateTimeType(evening).toHumanDisplayLocalTimezone(), expected);
    DateTimeType later = new DateTimeType("2024-05-13T15:04:00.123456789-04:00");
    later.setMinute(5);
    check(later.getValueAsString(), "2024-05-13T15:05:00.123456789-04:00");
    later.add(Calendar.DATE, 1);
    check(later.getValueAsString(), "2024-05-14T15:05:00.123-04:00");
  }
}
JAVA
javac -cp 'lib/*' Seen.java
java -Duser.timezone=America/New_York -cp 'lib/*:.' Seen 'May 13, 2024, 11:30:00 PM' 2>/dev/null
java -Duser.timezone=UTC -cp 'lib/*:.' Seen 'May 14, 2024, 3:30:00 AM' 2>/dev/null
java -Duser.timezone=Asia/Tokyo -cp 'lib/*:.' Seen 'May 14, 2024, 12:30:00 PM' 2>/dev/null
