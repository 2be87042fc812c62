"""The units that are known: what each is worth in others, in a form of our own.

The values are facts: of the SI, of the international agreements on yards, pounds and gallons, and
of what laboratories report. The codes are those of UCUM, case sensitive. A line is a code, ``*``
where prefixes go before it, and what it is; a unit without that is a dimension of its own.
"""

from __future__ import annotations

#: Prefixes: powers of ten, and of two.
PREFIXES: dict[str, tuple[int, int]] = {
    "Y": (10, 24),
    "Z": (10, 21),
    "E": (10, 18),
    "P": (10, 15),
    "T": (10, 12),
    "G": (10, 9),
    "M": (10, 6),
    "k": (10, 3),
    "h": (10, 2),
    "da": (10, 1),
    "d": (10, -1),
    "c": (10, -2),
    "m": (10, -3),
    "u": (10, -6),
    "n": (10, -9),
    "p": (10, -12),
    "f": (10, -15),
    "a": (10, -18),
    "z": (10, -21),
    "y": (10, -24),
    "Ki": (2, 10),
    "Mi": (2, 20),
    "Gi": (2, 30),
    "Ti": (2, 40),
}

#: Units whose zero is elsewhere: code, kelvins of one step, kelvins at its zero.
OFFSETS: dict[str, tuple[str, str]] = {
    "Cel": ("1", "273.15"),
    "[degF]": ("5/9", "45967/180"),
    "[degRe]": ("5/4", "273.15"),
}

UNITS = """
m *
s *
g *
rad *
K *
C *
cd *
mol *
[iU] *
[IU] * 1 [iU]
[arb'U] *
[USP'U]
[GPL'U]
[MPL'U]
[APL'U]
[beth'U]
[anti'Xa'U]
[todd'U]
[dye'U]
[smgy'U]
[bdsk'U]
[ka'U]
[knk'U]
[mclg'U]
[tb'U]
[CCID_50]
[TCID_50]
[EID_50]
[PFU]
[FFU]
[CFU]
[IR]
[BAU]
[AU]
[Amb'a'1'U]
[D'ag'U]
[Lf]
[ELU]
[EU]
[FEU]
[BU]
[PNU]
[SPL]
[hnsf'U]
[HPF]
[LPF] 100 [HPF]
[MET] 7/2 mL/min/kg
[pH]
B *
Np *
bit
By * 8 bit
Bd * 1/s
10* 10
10^ 10
[pi] 3.1415926535897932384626433832795028841971693993751058209749446
% 1/100
[ppth] 1/1000
[ppm] 1/1000000
[ppb] 1/1000000000
[pptr] 1/1000000000000
sr * 1 rad2
Hz * 1/s
N * 1 kg.m/s2
Pa * 1 N/m2
J * 1 N.m
W * 1 J/s
A * 1 C/s
V * 1 J/C
F * 1 C/V
Ohm * 1 V/A
S * 1 A/V
Wb * 1 V.s
T * 1 Wb/m2
H * 1 Wb/A
lm * 1 cd.sr
lx * 1 lm/m2
Bq * 1/s
Gy * 1 J/kg
Sv * 1 J/kg
kat * 1 mol/s
U * 1 umol/min
eq * 1 mol
osm * 1 mol
l * 1 dm3
L * 1 dm3
ar * 100 m2
min 60 s
h 60 min
d 24 h
wk 7 d
a_j 365.25 d
a_t 365.24219 d
a_g 365.2425 d
a 1 a_j
mo_j 1/12 a_j
mo_g 1/12 a_g
mo_s 29.53059 d
mo 1 mo_j
t * 1000 kg
bar * 100000 Pa
u * 1.6605402e-24 g
eV * 1.602176634e-19 J
pc * 3.085678e16 m
[c] 299792458 m/s
[g] * 9.80665 m/s2
gf * 1 g.[g]
atm 101325 Pa
att 1 kgf/cm2
[lbf_av] 1 [lb_av].[g]
deg 1/180 [pi].rad
gon 9/10 deg
' 1/60 deg
'' 1/60 '
[in_i] 2.54 cm
[ft_i] 12 [in_i]
[yd_i] 3 [ft_i]
[mi_i] 5280 [ft_i]
[fth_i] 6 [ft_i]
[nmi_i] 1852 m
[kn_i] 1 [nmi_i]/h
[sin_i] 1 [in_i]2
[sft_i] 1 [ft_i]2
[syd_i] 1 [yd_i]2
[cin_i] 1 [in_i]3
[cft_i] 1 [ft_i]3
[cyd_i] 1 [yd_i]3
[hd_i] 4 [in_i]
[mil_i] 1/1000 [in_i]
[acr_us] 4046.872609874252 m2
[gal_us] 231 [in_i]3
[qt_us] 1/4 [gal_us]
[pt_us] 1/2 [qt_us]
[gil_us] 1/4 [pt_us]
[foz_us] 1/4 [gil_us]
[fdr_us] 1/8 [foz_us]
[min_us] 1/60 [fdr_us]
[cup_us] 16 [tbs_us]
[tbs_us] 1/2 [foz_us]
[tsp_us] 1/3 [tbs_us]
[cup_m] 240 mL
[tbs_m] 15 mL
[tsp_m] 5 mL
[foz_m] 30 mL
[gal_br] 4.54609 L
[qt_br] 1/4 [gal_br]
[pt_br] 1/2 [qt_br]
[gil_br] 1/4 [pt_br]
[foz_br] 1/5 [gil_br]
[gr] 64.79891 mg
[lb_av] 7000 [gr]
[oz_av] 1/16 [lb_av]
[dr_av] 1/16 [oz_av]
[scwt_av] 100 [lb_av]
[ston_av] 20 [scwt_av]
[lcwt_av] 112 [lb_av]
[lton_av] 20 [lcwt_av]
[stone_av] 14 [lb_av]
[oz_tr] 480 [gr]
[lb_tr] 12 [oz_tr]
[pwt_tr] 24 [gr]
[sc_ap] 20 [gr]
[dr_ap] 60 [gr]
[oz_ap] 480 [gr]
[oz_m] 28 g
[car_m] 200 mg
m[Hg] * 133322.387415 Pa
m[H2O] * 9806.65 Pa
[in_i'Hg] 1 m[Hg].[in_i]/m
[in_i'H2O] 1 m[H2O].[in_i]/m
[psi] 1 [lbf_av]/[sin_i]
cal * 4.184 J
cal_th * 4.184 J
cal_IT * 4.1868 J
[Cal] 1 kcal_th
[Btu] 1055.05585262 J
[HP] 550 [ft_i].[lbf_av]/s
dyn * 1/100000 N
erg * 1/10000000 J
P * 1/10 Pa.s
St * 1 cm2/s
Ao 1/10 nm
b 100 fm2
Ci * 37000000000 Bq
R * 0.000258 C/kg
RAD * 1/100 Gy
REM * 1/100 Sv
Gal * 1 cm/s2
G * 1/10000 T
Mx * 1/100000000 Wb
ph 10000 lx
[diop] 1/m
[drp] 1/20 mL
[Ch] 1/3 mm
[mesh_i] 1/[in_i]
[PRU] 1 m[Hg].s/L
[wood'U] 1 mm[Hg].min/L
[FTU]
[NTU]
[S] 1/10000000000000 s
[CCID]
[Q]
[car_Au] 1/24
[rch_us] 100 [ft_us]
[ft_us] 1200/3937 m
[in_us] 1/12 [ft_us]
[yd_us] 3 [ft_us]
[mi_us] 5280 [ft_us]
"""
