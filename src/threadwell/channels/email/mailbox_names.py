"""What mail programs call the mailboxes that mean something, in the languages that they speak.

Gmail writes these names into ``X-Gmail-Labels``; other programs name folders and files by them.
Where two languages use one word for different boxes, the milder meaning counts: what is in the
trash is kept with a note, and what is in no box of these is an ordinary mail.
"""

from __future__ import annotations

from collections.abc import Iterable


def _names(*lines: str) -> frozenset[str]:
    return frozenset(_each(lines))


def _each(lines: Iterable[str]) -> Iterable[str]:
    return (name.strip() for line in lines for name in line.split("|"))


DRAFTS = _names(
    "Drafts|Draft|Draft Messages|Entwürfe|Entwurf|Brouillons|Brouillon|Borradores|Borrador",
    "Bozze|Bozza|Rascunhos|Rascunho|Concepten|Conceptberichten|Kladder|Kladde|Utkast|Utkaster",
    "Kladd|Luonnokset|Luonnos|Drög|Skitsur|Wersje robocze|Kopie robocze|Szkice|Koncepty",
    "Rozepsané|Rozpracované|Osnutki|Skice|Predlošci|Nacrti|Нацрти|Недовршене|Piszkozatok",
    "Vázlatok|Ciorne|Mesaje nefinalizate|Schițe|Чернови|Черновики|Чернетки|Чарнавікі",
    "Непратени|Ноорог|Нооргууд|Πρόχειρα|Taslaklar|Taslak|Qaralamalar|Qoralamalar",
    "Qoralama xatlar|Жобалар|Черновиктер|טיוטות|מסמכי טיוטה|مسودات|المسودات|پیش‌نویس‌ها",
    "پیش نویسها|پیش‌نویس|ڈرافٹ|ڈرافٹس|مسودے|ड्राफ़्ट|ड्राफ्ट|प्रारूप|मसुदे|मसुदा|ड्राफ्टहरू",
    "मस्यौदाहरू|মসুদা|খসড়া|খসড়াগুলি|ড্রাফ্ট|ড্ৰাফ্ট|ਡ੍ਰਾਫਟ|ਡ੍ਰਾਫ਼ਟ|ડ્રાફ્ટ|ડ્રાફ્ટ્સ",
    "ડ્રાફ્ટસ|ଡ୍ରାଫ୍ଟ|ଡ୍ରାଫ୍ଟଗୁଡ଼ିକ|வரைவுகள்|டிராஃப்ட்|చిత్తుప్రతులు|చిత్తు ప్రతులు",
    "డ్రాఫ్ట్‌లు|ಕರಡುಗಳು|ಡ್ರಾಫ್ಟ್‌ಗಳು|കരടുകൾ|ഡ്രാഫ്റ്റുകൾ|ഡ്രാഫ്റ്റ്|කෙටුම්පත්|කෙටුම් පත්",
    "ร่างจดหมาย|จดหมายร่าง|ฉบับร่าง|แบบร่าง|กล่องจดหมายร่าง|ຮ່າງ|ສະບັບຮ່າງ|សារព្រាង|សេចក្តីព្រាង",
    "မူကြမ်းများ|Thư nháp|Bản nháp|Bản thảo|Draf|Konsep|Mga Draft|Rasimu|Konsepte|Konsepten",
    "Okusalungiswa|Izinhlaka|ረቂቆች|ረቂቅ|草稿|草稿箱|草稿匣|草稿夾|下書き|임시보관함|임시 보관함",
    "임시보관|მონახაზები|დრაფტები|Սևագրեր|Mustandid|Melnraksti|Uzmetumi|Juodraščiai",
    "Esborranys|Zirriborroak|Drafftiau|Dréachtaí|Skica|Drafte|Draftet|Mesazhe të padërguara",
    "ড্রাফ্টগুলি|ព្រាង|សេចក្ដីព្រាង|پیش نویس ها|Rozpísané|Izidrafti",
    "Brouilhedoù|Malnetujo|Malnetoj|Brouillonen",
)
TEMPLATES = _names(
    "Templates|Vorlagen|Modèles|Plantillas|Modelli|Modelos|Sjablonen",
)
OUTBOX = _names(
    "Outbox|Unsent Messages|Postausgang|Boîte d'envoi|Bandeja de salida|Posta in uscita",
    "Caixa de saída|Postvak UIT|Udbakke|Utkorg|Utboks|Lähtevät|Skrzynka nadawcza|Исходящие",
)
SPAM = _names(
    "Spam|Junk|Junk Mail|Junk E-mail|Junk Email|Junk-E-Mail|Bulk Mail|Pourriel|Pourriels",
    "Spams|Courrier indésirable|Indésirables|Correo no deseado|No deseado|Posta indesiderata",
    "Indesiderata|Lixo eletrônico|Lixo eletrónico|Correo lixo|Ongewenste e-mail|Ongewenst",
    "Skräppost|Skräp|Søppelpost|Uønsket e-post|Uønsket mail|Roskaposti|Ruslpóstur",
    "Wiadomości-śmieci|Nevyžádaná pošta|Nevyžiadaná pošta|Vsiljena pošta|Neželena sporočila",
    "Neželjena pošta|Непожељна пошта|Непожељно|Levélszemét|Kéretlen|Спам|Нежелательная почта",
    "Ανεπιθύμητα|Ανεπιθύμητη αλληλογραφία|Gereksiz|Gereksiz E-posta|İstenmeyen",
    "İstenmeyen e-posta|ספאם|דואר זבל|זבל|الرسائل غير المرغوب فيها|غير مرغوب فيها",
    "الرسائل العشوائية|رسائل غير مرغوب فيها|البريد العشوائي|هرزنامه|اسپم|سپام|اسپیم|स्पैम",
    "स्पॅम|स्पाम|স্প্যাম|ਸਪੈਮ|સ્પામ|સ્પૅમ|ସ୍ପାମ୍|ஸ்பேம்|స్పామ్|స్పాం|ಸ್ಪ್ಯಾಮ್|സ്‌പാം|സ്പാം",
    "අයාචිත තැපැල්|จดหมายขยะ|สแปม|กล่องจดหมายขยะ|ສະແປມ|Thư rác|Barua taka|Ugaxekile|Gemorspos",
    "Strooipos|垃圾邮件|垃圾郵件|垃圾電郵|迷惑メール|스팸함|스팸|스팸 편지함|스팸 메일|სპამი",
    "Սպամ|Rämpspost|Mēstules|Surogātpasts|Šlamštas|Brukalas|Correu brossa|Zabor-posta|Spama",
    "Sothach|Sbam|Stroboù|Spamujo",
)
TRASH = _names(
    "Trash|Bin|Deleted|Deleted Items|Deleted Messages|Papierkorb|Gelöscht|Gelöschte Objekte",
    "Gelöschte Elemente|Corbeille|Éléments supprimés|Papelera|Papelera de reciclaje",
    "Eliminados|Elementos eliminados|Cestino|Posta eliminata|Eliminata|Elementi eliminati",
    "Lixeira|Lixo|Reciclagem|Itens excluídos|Itens eliminados|Prullenbak|Verwijderd",
    "Verwijderde items|Papirkurv|Slettet post|Slettede elementer|Slettet|Sletta|Papperskorg",
    "Papperskorgen|Borttaget|Borttagna objekt|Roskakori|Poistetut|Rusl|Kosz|Elementy usunięte",
    "Usunięte|Koš|Kôš|Odstraněná pošta|Smeti|Koš za smeti|Otpad|Smeće|Отпад|Смеће|Kuka",
    "Törölt elemek|Lomtár|Coș de gunoi|Gunoi|Кошче|Корзина|Удаленные|Кошик|Сметніца|Корпа",
    "Κάδος απορριμμάτων|Κάδος Απορριμάτων|Κάδος|Çöp Kutusu|Çöp|Silinmiş Öğeler|Səbət|אשפה",
    "פריטים שנמחקו|المهملات|العناصر المحذوفة|سلة المهملات|زباله‌دان|حذف‌شده‌ها|ट्रैश|रद्दी",
    "कचरा|ট্র্যাশ|ਰੱਦੀ|ટ્રેશ|ட்ராஷ்|குப்பை|ట్రాష్|ಅನುಪಯುಕ್ತ|ട്രാഷ്|ถังขยะ|Thùng rác|Sampah",
    "Tong Sampah|Surat Terhapus|Tupio|Asblik|Udoti|已删除邮件|已刪除的郵件|垃圾桶|垃圾箱",
    "已删除|ゴミ箱|ごみ箱|휴지통|지운 편지함|ნაგავი|ურნა|Աղբարկղ|Prügikast|Miskaste",
    "Papīrgrozs|Šiukšlinė|Šiukšliadėžė|Paperera|Zakarrontzia|Sbwriel|Hedhurina|Koshi",
    "Basurahan|Хогийн сав|Savat|Себет",
)
SENT = _names(
    "Sent|Sent Mail|Sent Items|Sent Messages|Gesendet|Gesendete Objekte|Gesendete Elemente",
    "Envoyés|Messages envoyés|Éléments envoyés|Enviados|Elementos enviados|Inviata",
    "Posta inviata|Inviati|Itens enviados|E-mails enviados|Verzonden|Verzonden items",
    "Verzonden berichten|Sendt|Sendt post|Sendte elementer|Skickat|Skickat mail|Lähetetyt",
    "Wysłane|Odeslané|Odoslané|Poslano|Elküldött|Trimise|Изпратени|Отправленные|Надіслані",
    "Απεσταλμένα|Gönderilmiş Postalar|Gönderilmiş Öğeler|已发送|寄件備份|送信済み|보낸편지함",
    "Đã gửi|Terkirim",
)
