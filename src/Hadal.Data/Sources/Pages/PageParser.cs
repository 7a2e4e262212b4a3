using AngleSharp.Html;
using AngleSharp.Html.Parser;
using AngleSharp.Html.Parser.Tokens.Struct;
using AngleSharp.Text;

namespace Hadal.Data.Sources.Pages;

/// <summary>
/// Makes blocks of text out of HTML. Tags and characters are told apart by AngleSharp's tokenizer (WHATWG HTML, section 13.2.5), which takes time linear in the page; no tree is built, since
/// the standard's rules for trees take quadratic time and memory on hostile pages (30 KB of unclosed elements make three million).
/// </summary>
internal sealed class PageParser
{
    private readonly OpenElements _open = new();
    private readonly PageBlocks _blocks = new();
    private readonly List<(int Lists, int Number)> _numbers = [];
    private int _regions;
    private int _forms;

    /// <summary>The blocks of a page in its order, without those that its markup says are no part of its text.</summary>
    public static PageBlocks Parse(ReadOnlyMemory<char> html)
    {
        var parser = new PageParser();
        parser.Run(html);
        return parser._blocks;
    }

    private void Run(ReadOnlyMemory<char> html)
    {
        using var source = new TextSource(new ReadOnlyMemoryTextSource(html));
        using var tokenizer = new HtmlTokenizer(source, HtmlEntityProvider.Resolver)
        {
            SkipComments = true,
            SkipScriptText = true,
            SkipRawText = true,
            SkipProcessingInstructions = true,
            ShouldEmitAttribute = static (ref _, name) => name.Span is "class" or "id" or "role" or "href" or "hidden" or "style" or "aria-hidden",
        };
        _open.NumberOf("html");
        while (true)
        {
            ref StructHtmlToken token = ref tokenizer.GetStructToken();
            switch (token.Type)
            {
                case HtmlTokenType.EndOfFile:
                    _blocks.End();
                    return;
                case HtmlTokenType.Character:
                    OpenElement top = _open.Top;
                    if (!top.Dropped) _blocks.Add(token.Name.Memory.Span, top);
                    break;
                case HtmlTokenType.StartTag:
                    tokenizer.State = Start(ref token);
                    break;
                case HtmlTokenType.EndTag:
                    End(token.Name.Memory.Span);
                    break;
            }
        }
    }

    private HtmlParseMode Start(ref StructHtmlToken token)
    {
        ReadOnlySpan<char> name = token.Name.Memory.Span;
        PageTag tag = PageTags.Of(name);
        _open.CloseBefore(tag);
        OpenElement outer = _open.Top;
        if (token.IsSelfClosing && tag is PageTag.Inline or PageTag.Link or PageTag.Dropped) return HtmlParseMode.PCData;
        switch (tag)
        {
            case not (PageTag.Void or PageTag.Break or PageTag.Plain) when outer.Verbatim:
                if (PageTags.IsBlock(tag)) _blocks.Line();
                break;
            case PageTag.Void:
                return HtmlParseMode.PCData;
            case PageTag.Break:
                if (!outer.Dropped) _blocks.Break(outer.Verbatim);
                return HtmlParseMode.PCData;
            case PageTag.Plain:
                return HtmlParseMode.Plaintext;
            case PageTag.Cell:
                if (!outer.Dropped) _blocks.Cell();
                break;
            case PageTag.Item:
                _blocks.End(PageTag.Item, Count(outer.Lists));
                break;
            case PageTag.Row or PageTag.Heading or PageTag.Preformatted:
                _blocks.End(tag);
                break;
            default:
                if (PageTags.IsBlock(tag)) _blocks.End();
                break;
        }

        if (tag == PageTag.Rule) return HtmlParseMode.PCData;
        if (tag is PageTag.List or PageTag.Numbers) BeginList(outer.Lists + 1, tag == PageTag.Numbers);
        bool drop = outer.Dropped || IsDropped(tag, outer, ref token);
        _open.Push(new OpenElement(
            tag,
            _open.NumberOf(name),
            drop,
            outer.Linked || (tag == PageTag.Link && Has(ref token, "href")),
            outer.Verbatim || tag == PageTag.Preformatted,
            tag is PageTag.Main or PageTag.Article ? ++_regions : outer.Region,
            tag == PageTag.Form ? ++_forms : outer.Form,
            outer.Lists + (tag is PageTag.List or PageTag.Numbers ? 1 : 0)));
        return tag switch
        {
            PageTag.Script => HtmlParseMode.Script,
            PageTag.Raw => HtmlParseMode.Rawtext,
            PageTag.Characters => HtmlParseMode.RCData,
            _ => HtmlParseMode.PCData,
        };
    }

    private void End(ReadOnlySpan<char> name)
    {
        PageTag tag = PageTags.Of(name);
        if (tag == PageTag.Paragraph)
        {
            _open.Close(tag, _open.NumberOf(name));
        }
        else if (!_open.Close(tag, _open.NumberOf(name)) || !PageTags.IsBlock(tag) || tag is PageTag.Cell or PageTag.Root)
        {
            return;
        }

        if (_open.Top.Verbatim) _blocks.Line();
        else _blocks.End(PageTag.Block);
    }

    // Headers and footers of the page itself go, those of an article or section may hold its title and notes.
    private static bool IsDropped(PageTag tag, in OpenElement outer, ref StructHtmlToken token)
    {
        if (tag is PageTag.Dropped or PageTag.Script or PageTag.Raw or PageTag.Characters or PageTag.Landmark) return true;
        if (tag is PageTag.Header or PageTag.Footer && outer.Region == 0) return true;
        StructAttributes attributes = token.Attributes;
        for (int i = 0; i < Math.Min(attributes.Count, 16); i++)
        {
            MemoryHtmlAttributeToken attribute = attributes[i];
            ReadOnlySpan<char> value = attribute.Value.Memory.Span;
            switch (attribute.Name.Memory.Span)
            {
                case "hidden" when tag != PageTag.Root && !value.Equals("until-found", StringComparison.OrdinalIgnoreCase):
                    return true;
                case "aria-hidden" when tag != PageTag.Root && PageTags.IsBlock(tag) && value is "true":
                    return true;
                case "style" when PageTags.IsHiddenStyle(value) && tag != PageTag.Root:
                    return true;
                case "role" when PageTags.IsAsideRole(value):
                    return true;
                case "class" or "id" when tag is not (PageTag.Root or PageTag.Main or PageTag.Article) && PageTags.IsAsideName(value[..Math.Min(value.Length, 512)]):
                    return true;
            }
        }

        return false;
    }

    private static bool Has(ref StructHtmlToken token, string name)
    {
        StructAttributes attributes = token.Attributes;
        for (int i = 0; i < Math.Min(attributes.Count, 16); i++)
        {
            if (attributes[i].Name.Memory.Span.SequenceEqual(name)) return true;
        }

        return false;
    }

    private void BeginList(int lists, bool numbered)
    {
        while (_numbers.Count > 0 && _numbers[^1].Lists >= lists) _numbers.RemoveAt(_numbers.Count - 1);
        _numbers.Add((lists, numbered ? 1 : 0));
    }

    // The number of the next item of the list that is so deep; 0 where items are not numbered.
    private int Count(int lists)
    {
        while (_numbers.Count > 0 && _numbers[^1].Lists > lists) _numbers.RemoveAt(_numbers.Count - 1);
        if (_numbers.Count == 0 || _numbers[^1].Number == 0) return 0;
        int number = _numbers[^1].Number;
        _numbers[^1] = (_numbers[^1].Lists, number + 1);
        return number;
    }
}
