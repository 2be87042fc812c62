#!/usr/bin/env bash
# ical4j keeps a visit that was cancelled in UTC, and biweekly loses the first of two visits.
#
# Packages   org.mnode.ical4j:ical4j 4.2.3, net.sf.biweekly:biweekly 0.6.8 (Maven Central)
# Expected   EXDATE takes out the visit of that moment; its value may be in UTC, as in the RFC's own example (RFC 5545,
#            §3.8.5.1). DTSTART is the first of a series, also of one that RDATE alone makes (§3.8.2.4, §3.8.5.2), and
#            RDATE may hold periods (the same). What one library makes of it the other does, too
# Seen       ical4j compares an EXDATE in UTC with New York's 9:00 by another measure than the moment: the cancelled visit
#            stays. biweekly has the RDATE and not the DTSTART, if there is no RRULE: the first of two visits is gone; of
#            a period in RDATE it has the DTSTART and not the period. Each is right where the other is wrong. No warning
# So         let each library unfold a series and compare before you remind patients by it
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
dependency() { echo "<dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version></dependency>"; }
cat >pom.xml <<XML
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>seen</groupId>
  <artifactId>seen</artifactId>
  <version>1</version>
  <dependencies>
    $(dependency org.mnode.ical4j ical4j 4.2.3)
    $(dependency net.sf.biweekly biweekly 0.6.8)
  </dependencies>
</project>
XML
mvn -q -B -Dmaven.repo.local="$folder/m2" dependency:copy-dependencies -DoutputDirectory=lib >mvn.log
cat >Seen.java <<'JAVA'
import biweekly.Biweekly;
import biweekly.ICalendar;
import biweekly.util.com.google.ical.compat.javautil.DateIterator;
import java.io.StringReader;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.TimeZone;
import java.util.TreeSet;
import net.fortuna.ical4j.data.CalendarBuilder;
import net.fortuna.ical4j.model.Period;
import net.fortuna.ical4j.model.component.VEvent;

public class Seen {
  static final String ZONE = """
      BEGIN:VTIMEZONE
      TZID:America/New_York
      BEGIN:DAYLIGHT
      DTSTART:20070311T020000
      RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
      TZOFFSETFROM:-0500
      TZOFFSETTO:-0400
      END:DAYLIGHT
      BEGIN:STANDARD
      DTSTART:20071104T020000
      RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
      TZOFFSETFROM:-0400
      TZOFFSETTO:-0500
      END:STANDARD
      END:VTIMEZONE
      """;
  static final String YORK = "DTSTART;TZID=America/New_York:20240304T090000\nDURATION:PT30M\n";
  static final String SERIES = YORK + "RRULE:FREQ=WEEKLY;COUNT=3\n";
  static final ZoneId NEW_YORK = ZoneId.of("America/New_York");

  static String text(String lines) {
    String event = "BEGIN:VEVENT\nUID:1@clinic.example\nDTSTAMP:20240101T000000Z\nSUMMARY:Visit\n" + lines;
    String head = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//clinic//EN\n" + ZONE;
    return (head + event + "END:VEVENT\nEND:VCALENDAR\n").replace("\n", "\r\n");
  }

  static String biweekly(String lines) {
    ICalendar calendar = Biweekly.parse(text(lines)).first();
    DateIterator dates = calendar.getEvents().get(0).getDateIterator(TimeZone.getTimeZone(NEW_YORK));
    TreeSet<Instant> found = new TreeSet<>();
    while (dates.hasNext()) found.add(dates.next().toInstant());
    return found.toString();
  }

  static String ical4j(String lines) throws Exception {
    VEvent event = new CalendarBuilder().build(new StringReader(text(lines))).<VEvent>getComponent("VEVENT").get();
    ZonedDateTime from = ZonedDateTime.parse("2024-01-01T00:00:00Z");
    TreeSet<Instant> found = new TreeSet<>();
    for (Period<?> one : event.calculateRecurrenceSet(new Period<>(from, from.plusYears(1)))) {
      if (one.getStart() instanceof ZonedDateTime zoned) found.add(zoned.toInstant());
      else if (one.getStart() instanceof OffsetDateTime offset) found.add(offset.toInstant());
      else found.add((Instant) one.getStart());
    }
    return found.toString();
  }

  static void look(String lines, String first, String second) throws Exception {
    System.out.println(lines.strip().replace("\n", " "));
    System.out.println("  ical4j   " + ical4j(lines) + "\n  biweekly " + biweekly(lines));
    if (!ical4j(lines).equals(first) || !biweekly(lines).equals(second)) throw new AssertionError(lines);
  }

  public static void main(String[] arguments) throws Exception {
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    String two = "[2024-03-04T14:00:00Z, 2024-03-18T13:00:00Z]";
    look(SERIES + "EXDATE;TZID=America/New_York:20240311T090000\n", two, two);
    String three = "[2024-03-04T14:00:00Z, 2024-03-11T13:00:00Z, 2024-03-18T13:00:00Z]";
    look(SERIES, three, three);
    look(SERIES + "EXDATE:20240311T130000Z\n", three, two);
    String both = "[2024-03-04T14:00:00Z, 2024-03-06T15:00:00Z]";
    look(YORK + "RDATE;TZID=America/New_York:20240306T100000\n", both, "[2024-03-06T15:00:00Z]");
    look(YORK + "RDATE;VALUE=PERIOD:20240306T150000Z/PT1H\n", both, "[2024-03-04T14:00:00Z]");
    System.out.println("OK: as described");
  }
}
JAVA
java -cp 'lib/*' Seen.java 2>java.log || { tail -20 java.log; exit 1; }
