using System.Text;
using System.Text.Json;
using Hadal.Data.Quality;

namespace Hadal.Data.Tests.Quality;

public sealed class QualityCheckTests
{
    private const string Story = """
        It was a bright morning when the two brothers went down to the river with their nets, and nobody in the village had yet risen.
        The older one carried the bread that their mother had baked, and the younger one was singing to himself of ships and of the sea.
        "We have to be back before noon," said the older, "or the fish will not keep, and the walk is long."
        They found the boat where they had left it, half full of rain, and spent an hour with a broken cup to empty it again.
        By the time the sun stood over the hills they had three baskets full, and a story that would be told for years.
        """;

    private const string Chinese = "却说那年冬天，雪下得很大，村里的人都在屋里烤火。老王一个人走到河边，看见冰上有一只小狗，它的脚被冻住了，动不得。老王脱了鞋，慢慢走过去，把它抱在怀里。回来的时候，" +
        "天已经黑了，他的儿子站在门口等他，问他去了哪里。他笑着说：“我去河边散步，捡了一个朋友。”从那以后，这只狗再也没有离开过他，一直到他老了的那一天。";

    public static TheoryData<string, string, string> Bad() => new()
    {
        { "empty", "", "min_words" },
        { "blank", " \n\t\n ", "min_words" },
        { "short", "Thanks!", "min_words" },
        { "one line over and over", string.Concat(Enumerable.Repeat("bright table of oceans never to be broken in winter under the sky\n", 40)), "max_duplicate_lines" },
        { "three words over and over", string.Concat(Enumerable.Repeat("paper of the ", 200)), "max_top_grams.2" },
        { "bullets", string.Concat(Enumerable.Range(0, 30).Select(i => $"• {(char)('a' + i % 26)}word{(char)('a' + i / 3)} of the {(char)('k' + i % 11)}ind\n")), "max_bullet_lines" },
        { "numbers", string.Concat(Enumerable.Range(1000, 300).Select(i => $"{i * 7919}\t")), "min_letter_words" },
        { "hexadecimal", string.Concat(Enumerable.Range(0, 400).Select(i => $"{(i * 2654435761 >> 7) & 0xFF:x2} ")), "max_digits" },
        { "one long word", new string('a', 5000) + " of the b c d e f g h", "max_mean_word_length" },
        { "symbols", "there are of the and to in by " + string.Concat(Enumerable.Repeat("%}~_\\&~%|+^@ -}<{*\\]", 30)), "min_alphanumeric" },
        { "markup", string.Concat(Story.Split('\n').Select(l => $"<p class=\"x\">{l}</p><br/>\n")), "max_markup" },
        { "capitals", Story.ToUpperInvariant(), "max_capitals" },
        { "replacement characters", Story.Replace("e ", "\uFFFD"), "max_damage" },
        { "controls", Story.Replace("e ", "e\u001B"), "max_damage" },
        { "utf-8 as latin-1", "La canci\u00C3\u00B3n que el ni\u00C3\u00B1o cant\u00C3\u00B3 en el balc\u00C3\u00B3n de la casa", "max_damage" },
        { "utf-8 as gbk", "是是的的" + string.Concat(Enumerable.Repeat("涓囦笀宕斿穽宄板箔宄诲崈灞傛偓鍓婂礀娣便傝媿鑻旂钘撻摵闃寸煶鍙ゆ楂樻粨澶ф灄銆傛灄娣卞惉骞界藉阀澹拌曠潌瀹炲牚鍚熴傛锭鍐呮按娴佸傛郴鐜夎矾鏃佽姳钀戒技鍫嗛噾", 3)), "min_frequent_characters" },
        { "words without sense", string.Join(' ', Enumerable.Range(0, 200).Select(i => $"{(char)('a' + i % 23)}ast{(char)('b' + i % 19)}e")), "min_stop_words" },
        { "filler", Story + "Lorem ipsum dolor sit amet.", "drop_lorem_ipsum" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void The_mixed_preset_names_the_rule_that_noise_breaks(string what, string text, string rule)
    {
        QualityVerdict verdict = QualityCheck.Judge(text, "und", QualityPresets.V3);

        Assert.True(rule == verdict.Rule, $"{what}: {verdict.Rule} {verdict.Value} {verdict.Limit}");
    }

    [Theory]
    [InlineData("en", Story)]
    [InlineData("zh", Chinese)]
    [InlineData(null, Story)]
    [InlineData("zh", "静夜思\n床前明月光，疑是地上霜。\n举头望明月，低头思故乡。")]
    [InlineData("en", "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\nNatalia sold 48+24 = <<48+24=72>>72 clips altogether in April and May.\n#### 72")]
    [InlineData("math", "5*4 = 20, 20*3 = 60, 60+5 = 65, so that he pays 65.\n#### 65")]
    [InlineData("code-python", "def area(width, height):\n    \"\"\"The area of a rectangle.\"\"\"\n    return width * height\n")]
    public void Clean_texts_of_all_forms_stay(string? language, string text)
    {
        QualityVerdict verdict = QualityCheck.Judge(text, language, QualityPresets.V3);

        Assert.True(verdict.IsKept, $"{verdict.Rule} {verdict.Value} {verdict.Limit}");
        Assert.Same(text, verdict.Text);
    }

    [Fact]
    public void A_verdict_says_what_was_measured_and_what_is_allowed()
    {
        QualityVerdict verdict = QualityCheck.Judge("one two three", "en", QualityPresets.Gopher);

        Assert.Equal(new QualityVerdict("min_words", 3, 50, "one two three", 0), verdict);
    }

    [Fact]
    public void A_rule_that_is_null_is_off()
    {
        string text = string.Concat(Enumerable.Repeat("bright table ocean never copper broken winter under\n", 40));

        Assert.True(QualityCheck.Judge(text, "en", new QualityRules()).IsKept);
        Assert.Equal("max_duplicate_lines", QualityCheck.Judge(text, "en", QualityPresets.GopherRepetition).Rule);
        Assert.Equal("max_duplicate_line_characters", QualityCheck.Judge(text, "en", QualityPresets.GopherRepetition with { MaxDuplicateLines = null }).Rule);
    }

    [Fact]
    public void Repetition_is_counted_as_Gopher_defines_it()
    {
        // Words of one letter: the second "a b c d e" is five of the thirteen characters; the most frequent 2-gram "a b" four of them.
        var rules = new QualityRules { MaxDuplicateGrams = new Dictionary<int, double> { [5] = 0 } };
        var top = new QualityRules { MaxTopGrams = new Dictionary<int, double> { [2] = 0 } };
        const string Text = "a b c d e x y z a b c d e";

        Assert.Equal(5.0 / 13, QualityCheck.Judge(Text, "en", rules).Value, 12);
        Assert.Equal(4.0 / 13, QualityCheck.Judge(Text, "en", top).Value, 12);
    }

    [Theory]
    [InlineData("Skip to main content")]
    [InlineData("Read more...")]
    [InlineData("Home | About | News | Contact")]
    [InlineData("首页 | 新闻 | 论坛 | 登录")]
    [InlineData("This website uses cookies to improve your experience. Accept all")]
    [InlineData("Please enable JavaScript in your browser.")]
    [InlineData("© and copyright: all rights reserved")]
    [InlineData("You must be logged in to reply.")]
    [InlineData("版权所有 未经许可不得转载")]
    [InlineData("Subscribe to our newsletter!")]
    [InlineData("Share on Facebook")]
    public void Boilerplate_is_taken_out_of_a_text_and_the_rest_stays(string line)
    {
        string text = Story.Insert(Story.IndexOf("They found", StringComparison.Ordinal), line + "\n");

        QualityVerdict verdict = QualityCheck.Judge(text, "en", QualityPresets.V3);

        Assert.Equal((null, Story, 1), (verdict.Rule, verdict.Text, verdict.RemovedLines));
    }

    [Theory]
    [InlineData("Mary uses cookies to bribe her brother, who has eaten twelve of them.")]
    [InlineData("He had to log in to see what the register held.")]
    [InlineData("| a | b | c |")]
    [InlineData("x | y | z")]
    [InlineData("The advertisement was small, but she read it twice.")]
    public void Sentences_that_only_speak_of_such_things_stay(string line)
    {
        QualityVerdict verdict = QualityCheck.Judge(Story + line, "en", QualityPresets.V3);

        Assert.Equal(0, verdict.RemovedLines);
    }

    [Fact]
    public void C4_keeps_ended_lines_of_words_and_drops_pages_of_few_sentences()
    {
        const string Lines = "First here is a sentence.\nA heading\nA second sentence is here!\nToo short.\nIs this the third one?\nJavascript is a language here.\nSee the terms of use here.\n"
            + "And a fourth one ends.\nAn unfinished one...\n";

        QualityVerdict few = QualityCheck.Judge(Lines, "en", QualityPresets.C4);
        QualityVerdict enough = QualityCheck.Judge(Lines + "A fifth one is here.", "en", QualityPresets.C4);

        Assert.Equal(("min_sentences", 4.0, 5.0), (few.Rule, few.Value, few.Limit));
        Assert.True(enough.IsKept);
        Assert.Equal("First here is a sentence.\nA second sentence is here!\nIs this the third one?\nAnd a fourth one ends.\nA fifth one is here.", enough.Text);
        Assert.Equal("drop_curly_brackets", QualityCheck.Judge("A function { returns } here.", "en", QualityPresets.C4).Rule);
    }

    [Fact]
    public void FineWeb_drops_lists()
    {
        string list = string.Concat(Enumerable.Range(0, 20).Select(i => $"item number {i}\n"));

        Assert.Equal("min_ended_lines", QualityCheck.Judge(list, "en", QualityPresets.FineWeb).Rule);
        Assert.True(QualityCheck.Judge(Story, "en", QualityPresets.FineWeb).IsKept);
    }

    [Fact]
    public void Generated_code_is_told_by_its_mark_where_that_rule_is_on()
    {
        const string Text = "// Code generated by protoc-gen-go. DO NOT EDIT.\npackage main\n\nfunc add(a int, b int) int {\n\treturn a + b\n}\n";

        Assert.True(QualityCheck.Judge(Text, "code-go", QualityPresets.V3).IsKept);
        Assert.Equal("drop_generated", QualityCheck.Judge(Text, "code-go", QualityPresets.V3 with { Code = QualityPresets.Code with { DropGenerated = true } }).Rule);
    }

    [Fact]
    public void Presets_come_back_from_their_JSON_and_are_right()
    {
        foreach (string name in QualityPresets.Names)
        {
            QualityRules rules = QualityPresets.Find(name)!;
            string json = JsonSerializer.Serialize(rules);
            QualityRules again = JsonSerializer.Deserialize<QualityRules>(json)!;

            Assert.Null(rules.Problem());
            Assert.Equal(json, JsonSerializer.Serialize(again));
            Assert.Equal(QualityCheck.Judge(Story, "en", rules), QualityCheck.Judge(Story, "en", again));
        }

        Assert.Null(QualityPresets.Find("gopher2"));
    }

    [Fact]
    public void Rules_say_what_is_wrong_with_them()
    {
        Assert.Contains("share", new QualityRules { MaxDigits = 1.5 }.Problem());
        Assert.Contains("min_words", new QualityRules { MinWords = 5, MaxWords = 4 }.Problem());
        Assert.Contains("max_top_grams", new QualityRules { MaxTopGrams = new Dictionary<int, double> { [17] = 0.1 } }.Problem());
        Assert.Contains("min_sentences", new QualityRules { Code = new QualityRules { MinSentences = -1 } }.Problem());
    }

    [Fact]
    public void Long_runs_and_damaged_texts_are_judged_without_error()
    {
        var random = new Random(5);
        foreach (string run in new[] { "a", " ", "\n", "天", "1", "<a", "a ", "\uD800", "x\n", "😀" })
        {
            string text = new StringBuilder().Insert(0, run, 300_000).ToString();
            foreach (string name in QualityPresets.Names) _ = QualityCheck.Judge(text, null, QualityPresets.Find(name)!);
            Assert.False(QualityCheck.Judge(text, null, QualityPresets.V3).IsKept);
        }

        for (int i = 0; i < 200; i++)
        {
            char[] text = new char[random.Next(200)];
            for (int j = 0; j < text.Length; j++) text[j] = (char)random.Next(i % 2 == 0 ? 128 : 65536);
            foreach (string name in QualityPresets.Names) _ = QualityCheck.Judge(new string(text), null, QualityPresets.Find(name)!);
        }
    }

    [Fact]
    public void A_verdict_does_not_depend_on_what_was_judged_before()
    {
        QualityVerdict first = QualityCheck.Judge(Story, "en", QualityPresets.V3 with { MaxDuplicateGrams = new Dictionary<int, double> { [5] = 0 }, MinStopWords = 9 });
        _ = QualityCheck.Judge(string.Concat(Enumerable.Repeat(Story + Chinese, 500)), "zh", QualityPresets.V3);

        Assert.Equal(first, QualityCheck.Judge(Story, "en", QualityPresets.V3 with { MaxDuplicateGrams = new Dictionary<int, double> { [5] = 0 }, MinStopWords = 9 }));
    }
}
