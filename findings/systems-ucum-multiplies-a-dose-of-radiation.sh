#!/usr/bin/env bash
# The UCUM units of Java's units of measurement make a sievert a million rem, and count no blood cells per litre.
#
# Package    systems.uom:systems-ucum 2.2 with systems-quantity 2.2 (Maven Central), on tech.units:indriya 2.2.3;
#            org.fhir:ucum 1.0.10 beside it, which reads UCUM's own table
# Expected   RAD is 100 erg/g and REM is RAD (UCUM 2.2, CGS units; read here from ucum-essence.xml,
#            which UCUM is published as), an erg is 10*-7 J, so 1 Gy = 100 RAD and 1 Sv = 100 REM; [HP] is
#            550 [ft_i].[lbf_av]/s, 745.7 W. 10* is the number ten of UCUM, and 10*9/L how blood cells are counted
# Seen       1 Gy is 1000000 RAD and 1 Sv 1000000 REM, ten thousand times as many: a CT of 10 mSv is 10000 REM, a
#            deadly dose. A horsepower is 1.36 W. 10*9/L and 10*3/uL are not read at all.
#            An erg is right, and so are a curie, mm[Hg], Celsius and Fahrenheit. org.fhir:ucum has the doses right
# So         take RAD, REM and [HP] out of what is converted, and compare each unit that you use with UCUM's table once
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
    $(dependency systems.uom systems-ucum 2.2)
    $(dependency systems.uom systems-quantity 2.2)
    $(dependency tech.units indriya 2.2.3)
    $(dependency org.fhir ucum 1.0.10)
  </dependencies>
</project>
XML
mvn -q -B -Dmaven.repo.local="$folder/m2" dependency:copy-dependencies -DoutputDirectory=lib >mvn.log
cat >Seen.java <<'JAVA'
import java.math.BigDecimal;
import javax.measure.Unit;
import javax.measure.format.UnitFormat;
import org.fhir.ucum.Decimal;
import org.fhir.ucum.UcumEssenceService;
import systems.uom.ucum.format.UCUMFormat;
import tech.units.indriya.quantity.Quantities;

public class Seen {
  static final UnitFormat FORMAT = UCUMFormat.getInstance(UCUMFormat.Variant.CASE_SENSITIVE);

  @SuppressWarnings({"rawtypes", "unchecked"})
  static double converted(String value, String from, String to) {
    Unit unit = FORMAT.parse(from);
    return Quantities.getQuantity(new BigDecimal(value), unit).to(FORMAT.parse(to)).getValue().doubleValue();
  }

  static void same(double found, double expected) {
    if (Math.abs(found / expected - 1) > 0.001) throw new AssertionError(found + " is not " + expected);
  }

  static void look(String value, String from, String to, double expected, double right, UcumEssenceService other)
      throws Exception {
    double found = converted(value, from, to);
    String also = "not converted";
    if (right != 0) {
      also = other.convert(new Decimal(value), from, to).asDecimal();
      same(Double.parseDouble(also), right);
    }
    System.out.println(value + " " + from + " is " + found + " " + to + "; org.fhir:ucum: " + also);
    same(found, expected);
  }

  public static void main(String[] arguments) throws Exception {
    UcumEssenceService other = new UcumEssenceService(Seen.class.getResourceAsStream("/ucum-essence.xml"));
    look("120", "mm[Hg]", "kPa", 15.99864, 15.99864, other);
    look("98.6", "[degF]", "Cel", 37, 0, other);
    look("10000000", "erg", "J", 1, 1, other);
    look("1", "Ci", "MBq", 37000, 37000, other);
    look("1", "Gy", "RAD", 1e6, 100, other);
    look("10", "mSv", "REM", 1e4, 1, other);
    look("1", "[HP]", "W", 1.3558, 745.7, other);
    for (String code : new String[] {"10*9/L", "10*3/uL"}) {
      if (other.validate(code) != null) throw new AssertionError(code + " is no UCUM");
      String read;
      try {
        read = "as " + FORMAT.parse(code);
      } catch (RuntimeException error) {
        read = "not";
      }
      System.out.println(code + " is read " + read);
      if (!read.equals("not")) throw new AssertionError(read);
    }
    System.out.println("OK: as described");
  }
}
JAVA
java -cp 'lib/*' Seen.java
