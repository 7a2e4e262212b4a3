namespace Hadal.Data.Languages;

/// <summary>What languages in Latin letters are told apart by: frequent words in order of frequency, accented letters, endings. Written down for this purpose.</summary>
/// <param name="Code">ISO 639-1 code.</param>
/// <param name="Words">Frequent words, the most frequent first.</param>
/// <param name="Accents">Letters besides a to z.</param>
/// <param name="Endings">Three letters that many words end in.</param>
internal sealed record LatinWords(string Code, string Words, string Accents, string Endings)
{
    internal static LatinWords[] All { get; } =
    [
        new("en", "the of and to a in that is was he for it with as his on be at by i this had not are but from or have an they which one you were her all she there would their we him been has when who will more no if out so said what up its about into than them can only other new some could time these two may then do first any my now such like our over man me even most made after also did many before must through back years where much your way well down should because each just those people how too little state good very make world still own see men work long get here between both life being under never day same another know while last might us great old year off come since against go came right used take three go how much many then there does find needs each total number cost per let value if used returns function file see use using",
            "", "ing ion ers est ght ess ble lly ity ent ous ful ive ate ure ish ard ome ore ter ned ted sed red led nds ses ies ver her ire ook eed nts ork uld ack nge ngs als ary ory ily ght hes kes mes"),
        new("es", "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin sobre este ya entre cuando todo esta ser son dos también fue había era muy años hasta desde está mi porque qué sólo han yo hay vez puede todos así nos ni parte tiene él uno donde bien tiempo mismo ese ahora cada vida otro después te otros aunque esa eso hace otra gobierno tan durante siempre día tanto ella tres sí dijo sido gran país según menos mundo año antes estado contra sino forma caso nada hacer general estaba poco estos casa mejor tu señor vuestra merced quien sea respondió díjole dar usted ustedes nosotros cual pues algo manera hombre mujer día noche decir",
            "áéíóúñü", "ión ado ido dos das ada ndo aba ían ría ero era dad nte tos llo mos ron lla cia res nes rio ria ora ura ble ivo iva oso osa mas jos ños ito ita ará erá irá ndo zas tas les"),
        new("fr", "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont la avec son il aux d l s n c qu elle nous vous je on mais ou où comme tout leur si y été cette sa ses deux même ces lui fait faire être avait était bien sans peut tous après aussi entre encore très dont autre ont donc alors quand ils elles sous notre votre jamais rien moi toi non oui temps monsieur",
            "àâçéèêëîïôùûüœæ", "eux ent ait ais ois ées que aux eur ère lle ons ion ant ine age iez ait ées tre nce aient oir ité ble"),
        new("de", "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde wenn können ich wir ihr ihm mir mich dich du uns kann schon was doch hatte seine seiner ihre ihrer sehr alle diese dieser dieses gegen vom kein keine immer wo da nun wieder",
            "äöüß", "ung ten den gen sch ich hen cht ern ser sen nen ter ger end eit ens aft igt ist lle cke men"),
        new("pt", "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua ou ser quando muito há nos já está eu também só pelo pela até isso ela entre era depois sem mesmo aos ter seus quem nas me esse eles estão você tinha foram essa num nem suas meu às minha têm numa pelos elas havia seja qual será nós tenho lhe deles essas esses pelas este dele então assim ainda onde disse casa fazer",
            "áâãàçéêíóôõú", "ção dos das ado ram nho nha mos ões ade ava ida ido nte lho lha ndo ais eis ria rio sse eiro eira tos"),
        new("it", "di e il la che in a per è un del non una i le si con da sono come della ha al dei nel alla più anche ma lo delle se su gli ci o questo dal suo mi era cui ad hanno sua essere ed quando prima io tutto due dalla nella questa fatto stato così poi molto perché loro ancora senza tra lui lei aveva sul degli nella dopo dove mio ogni solo già bene cosa tutti disse quello quella noi voi signor",
            "àèéìîòù", "one are ere ato ata ati ate ndo tto lla ità nte ire oni eva ava ono ino ina sto sta zia nza ggi gli tti ndo llo"),
        new("nl", "de van een het en in is dat op te zijn voor met die niet aan er om ook als dan maar bij of uit nog worden door naar heeft hij ze was over wordt al kan geen meer we wel ik je had dit hun zo tot heb werd haar wat zal veel deze moet hebben kunnen ons onder wie waar zou mijn men hem toen na tegen nu alle",
            "éëïóè", "ijk gen ten den aar oor eid een ers nde aan ing lijk sch cht ken len ren iet"),
        new("ca", "de la i a el que les en els del per un una amb és al no es va dels són més com ha seva aquest aquesta pel seu també o però entre fou molt dos any hi així han ser als ja s d l sobre fins on des quan tot sense tots altres després segons hem jo nosaltres vostè fer",
            "àçèéíïòóúü", "ció ent ats ada ria nts ment itat ava ons sió nça"),
        new("sv", "och i att det som en på är av för med till den har de inte om ett han men var jag sig från vi så kan när år under också efter eller nu sin där vid mot ska skulle kommer ut får finns vara hade alla andra mycket än här då sedan över bara in blir upp även vad få två vill ha man hon",
            "åäö", "ade nde gen het era are rna ing tet lig iga ast ten"),
        new("da", "og i at det er en til af den på for med de der ikke som et har fra var jeg vi om kan han eller men så år efter skal ved også være blev over mod ud under hun ind sig hvor nu dem mig når have man op du blive alle denne dette noget meget kun hvad",
            "åæø", "ede nde gen hed ere ing lig ige sen ter ner els"),
        new("no", "og i det er på som en til å av for at med de har den ikke om et han var fra jeg vi men så kan år seg hun etter skal ble eller ved også da når over ut være noe under man bare hadde inn opp må hvor nå dette mot hva alle andre mer sin bli vil",
            "åæø", "ene ede nde het ing lig ige sen ter ner ere"),
        new("pl", "w i na z do się nie to że o jest za po przez od jak dla są co ale tak ma lub które przy był już tym tego oraz także tylko który jego może ich być jej bardzo było czy ja ten była która pan mnie",
            "ąćęłńóśźż", "ego ych ach nie owa ści iem ymi ć wał ski ska"),
        new("cs", "a v se na je že s z do to o i k za si ve ale jako po by jsem od pro které jeho byl jsou který tak podle nebo při jen už také před než až aby být není byla bylo co když ze",
            "áčďéěíňóřšťúůýž", "ého ích ost ení ání ých ova ově"),
        new("ro", "de și în a la cu din pe o că un care nu mai este să se al pentru sau ale ca au fost prin dar lui fi ce după cel sunt lor fost era ei le fără când până foarte între acest această avea",
            "ăâîșțşţ", "lor lui rea are ilor ate ese ului ția"),
        new("hu", "a az és hogy nem is egy van ez meg csak már volt de el ha még mint ki vagy azt mert meg nincs úgy akkor itt ott én ő te lesz kell minden után között magyar",
            "áéíóöőúüű", "nak nek ban ben ság ség ott ett tak tek ról ből"),
        new("fi", "ja on ei se että oli hän en ole mutta kun niin mitä joka ovat tai myös kuin sitä siitä nyt jos vain minä olen tämä voi ne hänen sen kanssa ollut mukaan jo vielä",
            "äö", "sta lla ssa een aan nut lle ista ksi kin tta lta"),
        new("tr", "ve bir bu da de için ile çok o ne gibi daha var olarak ama kadar en her olan ben sonra değil mi ya ki sen yok şey göre olduğu iki ise diye",
            "çğıöşü", "lar ler nda nde dan den mak mek yor dır rın rin"),
        new("la", "et in est non ad ut cum ex quod qui quae sed si ab de atque esse nec hoc aut enim sunt per ac quam eius autem dolor amet sit ipsum lorem dolore consectetur adipiscing elit sed tempor labore magna aliqua enim minim veniam quis nostrud ullamco laboris nisi aliquip commodo consequat duis aute irure voluptate velit fugiat nulla pariatur",
            "", "tur bus que rum ius ibus tis orum unt ium ere isse amus are"),
        new("id", "yang dan di ini untuk dengan dari itu dalam tidak akan pada juga ke karena ada oleh saya kami mereka dia telah bisa sudah lebih atau anda orang tersebut seperti hanya",
            "", "kan nya ang ung lah"),
        new("vi", "và của là có được trong cho không một các với những đã này người khi để ra về như tôi năm anh ông đó từ",
            "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ", ""),
    ];
}
