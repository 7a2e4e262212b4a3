using System.Buffers;

namespace Hadal.Data.Sources.Pages;

/// <summary>Gathers the text of a page in blocks, with white space as browsers show it.</summary>
internal sealed class PageBlocks
{
    private readonly ArrayBufferWriter<char> _text = new(4096);
    private readonly List<PageBlock> _blocks = [];
    private int _start;
    private int _linked;
    private bool _blank;
    private OpenElement _place;
    private PageTag _kind = PageTag.Paragraph;
    private int _number;
    private bool _cell;
    private int _breaks;

    /// <summary>The blocks so far.</summary>
    public IReadOnlyList<PageBlock> Blocks => _blocks;

    /// <summary>The characters of all blocks.</summary>
    public ReadOnlySpan<char> Text => _text.WrittenSpan;

    /// <summary>Ends the current block and says what the next is: a paragraph where an element begins, a block where one ends.</summary>
    public void End(PageTag next = PageTag.Paragraph, int number = 0)
    {
        int end = _text.WrittenCount;
        if (_kind == PageTag.Preformatted)
        {
            while (end > _start && _text.WrittenSpan[end - 1] is '\n' or ' ') end--;
        }
        else
        {
            // No-break spaces at the ends, and blocks of nothing else, only hold places.
            while (end > _start && char.IsWhiteSpace(_text.WrittenSpan[end - 1])) end--;
            while (_start < end && char.IsWhiteSpace(_text.WrittenSpan[_start])) _start++;
        }

        if (end > _start) _blocks.Add(new PageBlock(_kind, _start, end - _start, Math.Min(_linked, end - _start), _place.Region, _place.Form, _place.Lists, _number));

        // An item's mark waits for its first text: <li><p>text; so does what a heading is.
        bool waits = end == _start && next == PageTag.Paragraph && _kind is PageTag.Item or PageTag.Heading;
        _start = _text.WrittenCount;
        _linked = 0;
        _blank = false;
        _cell = false;
        _breaks = 0;
        if (waits) return;
        _kind = next;
        _number = number;
    }

    /// <summary>A cell of a row begins: what follows is set off from what the row has already.</summary>
    public void Cell()
    {
        _blank = false;
        _cell = _text.WrittenCount > _start;
    }

    /// <summary>A line break; two make a new block.</summary>
    public void Break(bool verbatim)
    {
        if (_text.WrittenCount == _start) return;
        if (verbatim)
        {
            Put("\n", false);
            return;
        }

        if (_kind == PageTag.Row)
        {
            _blank = true;
            return;
        }

        if (++_breaks == 2) End();
        _blank = false;
    }

    /// <summary>A block begins or ends where white space counts: on a line of its own.</summary>
    public void Line()
    {
        if (_text.WrittenCount > _start && _text.WrittenSpan[^1] != '\n') Put("\n", false);
    }

    /// <summary>Adds characters where an element says that they belong.</summary>
    public void Add(ReadOnlySpan<char> characters, in OpenElement place)
    {
        if (place.Verbatim)
        {
            if (_text.WrittenCount == _start)
            {
                if (characters.StartsWith('\n')) characters = characters[1..];
                if (characters.IsEmpty) return;
                _kind = PageTag.Preformatted;
                _place = place;
            }

            Put(characters, place.Linked);
            return;
        }

        while (!characters.IsEmpty)
        {
            int word = characters.IndexOfAny(" \t\n\r\f");
            if (word == 0)
            {
                _blank = true;
                int next = characters.IndexOfAnyExcept(" \t\n\r\f");
                if (next < 0) return;
                characters = characters[next..];
                continue;
            }

            int length = word < 0 ? characters.Length : word;
            if (_text.WrittenCount == _start) _place = place;
            else if (_cell) Put(" | ", false);
            else if (_breaks > 0) Put("\n", false);
            else if (_blank) Put(" ", place.Linked);
            _blank = _cell = false;
            _breaks = 0;
            Put(characters[..length], place.Linked);
            characters = characters[length..];
        }
    }

    private void Put(ReadOnlySpan<char> characters, bool linked)
    {
        _text.Write(characters);
        if (linked) _linked += characters.Length;
    }
}
