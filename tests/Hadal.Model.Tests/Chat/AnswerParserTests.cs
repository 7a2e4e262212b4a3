using System.Text;
using CsCheck;
using Hadal.Model.Chat;
using Hadal.Model.Tests.Tokenization;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Chat;

public class AnswerParserTests
{
    private const string Section = "<｜tool▁calls▁begin｜>";
    private const string SectionEnd = "<｜tool▁calls▁end｜>";
    private const string Call = "<｜tool▁call▁begin｜>";
    private const string CallEnd = "<｜tool▁call▁end｜>";
    private const string Sep = "<｜tool▁sep｜>";

    private static readonly ChatConversation _plain = new([new("user", "u")]);
    private static readonly ChatConversation _withTools = _plain with { Tools = [new("f")] };

    private static readonly ChatTemplate _v3 = ChatTemplate.Named("deepseek-v3");
    private static readonly ChatTemplate _r1 = ChatTemplate.Named("deepseek-r1");
    private static readonly ChatTemplate _v31 = ChatTemplate.Named("deepseek-v3.1");

    private static readonly string _long = new('w', 260);

    private static readonly Gen<string> _pieces = Gen.OneOf([.. ((string[])[
        "<think>", "</think>", Section, SectionEnd, Call, CallEnd, Sep, "function", "f", "get_x", "\n```json\n", "\n```", "```", "`", "{\"a\": 1}", "{", "}", "\n",
        " ", "word", "json", "<", "<｜", "<｜tool▁", "</thi", "｜>", "é😀", _long, Call + "function" + Sep + "f\n```json\n{}\n```" + CallEnd, Call + "g" + Sep + "{}" + CallEnd]).Select(Gen.Const)]);

    [Theory]
    [InlineData("why\n</think>\n\nhello", "R(why)C(hello)")]
    [InlineData("\nwhy\n\nwell\n</think>hello\n", "R(why\n\nwell)C(hello\n)")]
    [InlineData("no end\n", "R(no end\n)")]
    [InlineData("</think>hello", "C(hello)")]
    [InlineData("a</think>b</think>c", "R(a)C(b</think>c)")]
    [InlineData("a</thin", "R(a</thin)")]
    [InlineData("", "")]
    public void Thoughts_that_the_prompt_opened_end_at_their_marker(string text, string expected)
        => Assert.Equal(expected, Told(_r1, _plain, text));

    [Theory]
    [InlineData("<think>\nwhy\n</think>\n\nhello", "R(why)C(hello)")]
    [InlineData(" \n<think>why</think>hello", "R(why)C(hello)")]
    [InlineData("hello <think>x</think>", "C(hello <think>x</think>)")]
    [InlineData("<thin", "C(<thin)")]
    [InlineData(" ", "C( )")]
    public void Where_the_prompt_opened_no_thoughts_the_model_may(string text, string expected)
        => Assert.Equal(expected, Told(ChatTemplate.Named("deepseek-r1-0528"), _plain, text));

    [Fact]
    public void The_switch_tells_whether_the_answer_begins_in_thoughts()
    {
        Assert.Equal("R(a)C(b)", Told(_v31, _plain with { Thinking = true }, "a</think>b"));
        Assert.Equal("C(a</think>b)", Told(_v31, _plain with { Thinking = false }, "a</think>b"));
        Assert.Equal("C(<think>a</think>b)", Told(_v31, _plain, "<think>a</think>b"));
    }

    [Fact]
    public void A_parser_tells_whether_the_prompt_has_opened_thoughts()
    {
        Assert.True(_r1.CreateParser(_plain).StartsInReasoning);
        Assert.False(_r1.CreateParser(_plain, new AnswerParserOptions { Reasoning = false }).StartsInReasoning);
        Assert.False(_r1.CreateParser(new([new("user", "u"), new("tool", "t")])).StartsInReasoning);
        Assert.False(_v31.CreateParser(_plain).StartsInReasoning);
        Assert.True(_v31.CreateParser(_plain with { Thinking = true }).StartsInReasoning);
    }

    [Fact]
    public void A_whole_answer_is_read_as_a_message()
    {
        var message = _r1.ReadAnswer(_withTools, "hm\n</think>\n\nLook." + Section + Call + "function" + Sep + "f\n```json\n{}\n```" + CallEnd + SectionEnd);
        Assert.Equal(("assistant", "Look.", "hm", new ChatToolCall("function", "f", "{}")), (message.Role, message.Content, message.Reasoning, Assert.Single(message.ToolCalls!)));
        message = _v31.ReadAnswer(_withTools, Section + Call + "f" + Sep + "{" + CallEnd + Call + "g" + Sep + SectionEnd);
        Assert.Null(message.Content);
        Assert.Null(message.Reasoning);
        Assert.Equal([new("function", "f", "{"), new("function", "g", "")], message.ToolCalls!);
        message = _v3.ReadAnswer(_withTools, "");
        Assert.Equal(("", null), (message.Content, message.ToolCalls));
    }

    [Fact]
    public void A_model_that_does_not_think_says_markers_as_content()
        => Assert.Equal("C(<think>a</think>b)", Told(_v3, _plain, "<think>a</think>b"));

    [Fact]
    public void An_answer_that_is_continued_begins_where_it_stopped()
    {
        var inThoughts = new ChatConversation([new("user", "u"), new("assistant", "<think>so far")]) { ContinueLastMessage = true };
        Assert.Equal("R( on)C(b)", Told(_r1, inThoughts, " on</think>b"));
        Assert.Equal("R( on)C(b)", Told(_v31, new([new("user", "u"), new("assistant", "so far")]) { ContinueLastMessage = true, Thinking = true }, " on</think>b"));
        Assert.Equal("C( on)", Told(_r1, new([new("user", "u"), new("assistant", "so far")]) { ContinueLastMessage = true }, " on"));
    }

    [Fact]
    public void Reasoning_can_be_left_in_the_content()
        => Assert.Equal("C(a\n</think>\n\nb)", Told(_r1, _plain, "a\n</think>\n\nb", new AnswerParserOptions { Reasoning = false }));

    [Fact]
    public void Without_tools_calls_are_content_as_they_were_written()
    {
        const string text = Section + Call + "f" + Sep + "{}" + CallEnd + SectionEnd;
        Assert.Equal($"C({text})", Told(_v31, _plain, text));
        Assert.Equal("f[0]({})", Told(_v31, _plain, text, new AnswerParserOptions { ToolCalls = true }));
        Assert.Equal($"C({text})", Told(_v31, _withTools, text, new AnswerParserOptions { ToolCalls = false }));
    }

    [Theory]
    [InlineData("Look.\n" + Section + Call + "function" + Sep + "f\n```json\n{\"a\": 1}\n```" + CallEnd + SectionEnd, "C(Look.\n)f[0]({\"a\": 1})")]
    [InlineData(Section + Call + "function" + Sep + "f\n```json\n{}\n```" + CallEnd + "\n" + Call + "function" + Sep + "g\n```json\n[1]\n```" + CallEnd + SectionEnd, "f[0]({})g[1]([1])")]
    [InlineData(Section + Call + "function" + Sep + "f\n```json\n{\"s\": \"```\"}\n```" + CallEnd + SectionEnd, "f[0]({\"s\": \"```\"})")]
    [InlineData(Section + Call + "f" + Sep + "{\"a\": 1}" + CallEnd + Call + "g" + Sep + "{}" + CallEnd + SectionEnd, "f[0]({\"a\": 1})g[1]({})")]
    [InlineData(Section + Call + "function" + Sep + "f{}" + CallEnd + SectionEnd + "after", "f[0]({})C(after)")]
    [InlineData(Section + Call + "function" + Sep + "f\n{}\n" + CallEnd, "f[0]({})")]
    [InlineData(Section + Call + "function" + Sep + "f\n```\n{}```" + CallEnd + "\n" + SectionEnd, "f[0]({})")]
    [InlineData(Call + "function" + Sep + "f\n```json\n{}\n```" + CallEnd, "f[0]({})")]
    [InlineData(Section + Call + "function" + Sep + "f" + CallEnd + SectionEnd, "f[0]()")]
    [InlineData(Section + Call + "f" + Sep + CallEnd + SectionEnd, "f[0]()")]
    [InlineData(Section + Call + "function" + Sep + "f\n```json\n{}\n```" + Call + "function" + Sep + "g\n```json\n{}\n```" + SectionEnd, "f[0]({})g[1]({})")]
    [InlineData(Section + Call + "function" + Sep + "f\n```json\n{\"a\": \"b", "f[0]({\"a\": \"b)")]
    [InlineData(Section + Call + "function" + Sep + "f\n```json\n{}\n``", "f[0]({}\n``)")]
    public void Calls_come_out_of_both_formats_whichever_the_model_should_write(string text, string expected)
    {
        Assert.Equal(expected, Told(_v3, _withTools, text));
        Assert.Equal(expected, Told(_v31, _withTools, text));
    }

    [Theory]
    [InlineData(Section + Call + "no separator" + CallEnd + SectionEnd, "C(" + Call + "no separator" + CallEnd + ")")]
    [InlineData(Section + Call + Sep + "{}" + CallEnd + SectionEnd, "C(" + Call + Sep + "{}" + CallEnd + ")")]
    [InlineData(Section + "words " + Call + "f" + Sep + "{}" + CallEnd + SectionEnd, "C(words )f[0]({})")]
    [InlineData(Section + Call + "f", "C(" + Call + "f)")]
    [InlineData(Section, "")]
    [InlineData("a" + SectionEnd + "b", "C(a" + SectionEnd + "b)")]
    [InlineData("a<｜tool▁ca", "C(a<｜tool▁ca)")]
    public void What_is_no_call_is_content(string text, string expected) => Assert.Equal(expected, Told(_v3, _withTools, text));

    [Fact]
    public void A_call_whose_name_does_not_come_is_content_before_it_is_over()
    {
        string words = Section + Call + string.Join(' ', Enumerable.Repeat("word", 1000));
        Assert.Equal($"C({words[Section.Length..]})", Told(_v31, _withTools, words));
        Assert.NotEmpty(_v31.CreateParser(_withTools).Push(words[..1000]));
    }

    [Fact]
    public void A_call_in_the_midst_of_thoughts_ends_them()
        => Assert.Equal("R(so)f[0]({})", Told(_r1, _withTools, "so\n" + Section + Call + "function" + Sep + "f\n```json\n{}\n```" + CallEnd + SectionEnd));

    [Fact]
    public void Text_is_held_back_only_while_it_may_become_a_marker()
    {
        var parser = _r1.CreateParser(_withTools);
        Assert.Equal("why ", Assert.Single(parser.Push("why <")).Text);
        Assert.Equal("<b", Assert.Single(parser.Push("b")).Text);
        Assert.Equal("a", Assert.Single(parser.Push("a</thi")).Text);
        Assert.Empty(parser.Push("nk>\n"));
        Assert.Equal("Hi", Assert.Single(parser.Push("\nHi<｜")).Text);
        Assert.Equal([new AnswerEvent(AnswerEventKind.ToolCallStarted, "f", 0)], parser.Push("tool▁calls▁begin｜>" + Call + "function" + Sep + "f\n"));
        Assert.Equal([new AnswerEvent(AnswerEventKind.ToolCallArgumentsDelta, "{\"a\":", 0)], parser.Push("```json\n{\"a\":"));
        Assert.Equal([new AnswerEvent(AnswerEventKind.ToolCallArgumentsDelta, " 1}", 0)], parser.Push(" 1}\n``"));
        Assert.Equal([new AnswerEvent(AnswerEventKind.ToolCallEnded, "", 0)], parser.Push("`" + CallEnd));
        Assert.Empty(parser.Push(SectionEnd));
        Assert.Empty(parser.Finish());
        Assert.Throws<InvalidOperationException>(() => parser.Push("more"));
        Assert.Throws<InvalidOperationException>(parser.Finish);
    }

    [Fact]
    public void A_call_that_is_quoted_in_plain_tokens_is_none()
    {
        var tokenizer = TokenizerData.V3;
        const string text = "The page says " + Section + Call + "f" + Sep + "{}" + CallEnd + SectionEnd + " and no more.";
        int[] quoted = tokenizer.Encode(text, new EncodeOptions { AddedTokens = AddedTokenRecognition.None });
        int[] meant = tokenizer.Encode(text, new EncodeOptions { AddedTokens = AddedTokenRecognition.All });
        Assert.Equal($"C({text})", Told(ByToken(_v31, quoted)));
        Assert.Equal("C(The page says )f[0]({})C( and no more.)", Told(ByToken(_v31, meant)));
        Assert.Equal($"C({text}The page says )f[0]({{}})C( and no more.)", Told(ByToken(_v31, [.. quoted, .. meant])));
    }

    [Fact]
    public void With_tokens_the_answer_is_the_same_as_of_the_text_if_all_markers_are_tokens()
        => _pieces.List[0, 14].Sample(
            static pieces =>
            {
                string text = string.Concat(pieces);
                int[] tokens = TokenizerData.V3.Encode(text, new EncodeOptions { AddedTokens = AddedTokenRecognition.All });
                Assert.Equal(Merged(Parse(_r1, _withTools, [text])), Merged(ByToken(_r1, tokens)));
            },
            iter: 2_000);

    private static List<AnswerEvent> ByToken(ChatTemplate template, int[] tokens)
    {
        var parser = template.CreateParser(_withTools, new AnswerParserOptions { Tokenizer = TokenizerData.V3 });
        StreamingDecoder decoder = new(TokenizerData.V3, skipSpecialTokens: false);
        List<AnswerEvent> events = [];
        foreach (int token in tokens) events.AddRange(parser.Push(decoder.Push(token), [token]));
        events.AddRange(parser.Push(decoder.Finish()));
        events.AddRange(parser.Finish());
        return events;
    }

    [Fact]
    public void However_the_text_is_cut_the_answer_is_the_same_and_every_character_accounted_for()
    {
        Gen.Select(_pieces.List[0, 14], Gen.Int[1, 12].List[1, 40], Gen.Int[0, 4], Gen.Bool).Sample(
            static (pieces, cuts, format, tools) =>
            {
                string text = string.Concat(pieces);
                var template = ChatTemplate.Named(ChatTemplate.Names[format]);
                var conversation = (tools ? _withTools : _plain) with { Thinking = cuts.Count % 2 == 0 };
                var whole = Parse(template, conversation, [text]);
                var cut = Parse(template, conversation, Cut(text, cuts));
                Assert.Equal(Merged(whole), Merged(cut));
                Assert.Equal(Bare(text), Bare(string.Concat(whole.Select(static e => e.Text))));
                AssertOrdered(cut);
            },
            iter: 20_000);
    }

    /// <summary>A text without what the parser may take for a frame.</summary>
    private static string Bare(string text)
    {
        foreach (string frame in (string[])["<think>", "</think>", Section, SectionEnd, Call, CallEnd, Sep, "function", "json", "`", "\n", " "])
        {
            text = text.Replace(frame, "", StringComparison.Ordinal);
        }

        return text;
    }

    private static void AssertOrdered(IReadOnlyList<AnswerEvent> events)
    {
        int open = -1, next = 0;
        foreach (var e in events)
        {
            switch (e.Kind)
            {
                case AnswerEventKind.ToolCallStarted:
                    Assert.Equal(-1, open);
                    Assert.Equal(next++, e.CallIndex);
                    Assert.NotEqual("", e.Text);
                    open = e.CallIndex;
                    break;
                case AnswerEventKind.ToolCallArgumentsDelta or AnswerEventKind.ToolCallEnded:
                    Assert.Equal(open, e.CallIndex);
                    if (e.Kind == AnswerEventKind.ToolCallEnded) open = -1;
                    break;
                default:
                    Assert.Equal((-1, -1), (open, e.CallIndex));
                    Assert.NotEqual("", e.Text);
                    break;
            }
        }

        Assert.Equal(-1, open);
    }

    private static IEnumerable<string> Cut(string text, List<int> lengths)
    {
        for (int at = 0, i = 0; at < text.Length; at += lengths[i++ % lengths.Count])
        {
            yield return text.Substring(at, Math.Min(lengths[i % lengths.Count], text.Length - at));
        }
    }

    private static List<AnswerEvent> Parse(ChatTemplate template, ChatConversation conversation, IEnumerable<string> pieces, AnswerParserOptions? options = null)
    {
        var parser = template.CreateParser(conversation, options);
        List<AnswerEvent> events = [];
        foreach (string piece in pieces) events.AddRange(parser.Push(piece));
        events.AddRange(parser.Finish());
        return events;
    }

    private static List<AnswerEvent> Merged(IReadOnlyList<AnswerEvent> events)
    {
        List<AnswerEvent> merged = [];
        foreach (var e in events)
        {
            if (merged.Count > 0 && merged[^1].Kind == e.Kind && e.Kind != AnswerEventKind.ToolCallEnded) merged[^1] = e with { Text = merged[^1].Text + e.Text };
            else merged.Add(e);
        }

        return merged;
    }

    /// <summary>An answer in short: R(thoughts), C(content), name[index](arguments). Told in one piece and character by character, which must agree.</summary>
    private static string Told(ChatTemplate template, ChatConversation conversation, string text, AnswerParserOptions? options = null)
    {
        string whole = Told(Parse(template, conversation, [text], options));
        Assert.Equal(whole, Told(Parse(template, conversation, text.Select(static c => c.ToString()), options)));
        return whole;
    }

    private static string Told(IReadOnlyList<AnswerEvent> events)
    {
        StringBuilder told = new();
        string arguments = "";
        foreach (var e in Merged(events))
        {
            if (e.Kind == AnswerEventKind.ReasoningDelta) told.Append("R(").Append(e.Text).Append(')');
            if (e.Kind == AnswerEventKind.ContentDelta) told.Append("C(").Append(e.Text).Append(')');
            if (e.Kind == AnswerEventKind.ToolCallStarted) told.Append(e.Text).Append('[').Append(e.CallIndex).Append(']');
            if (e.Kind == AnswerEventKind.ToolCallArgumentsDelta) arguments = e.Text;
            if (e.Kind != AnswerEventKind.ToolCallEnded) continue;
            told.Append('(').Append(arguments).Append(')');
            arguments = "";
        }

        return told.ToString();
    }
}
