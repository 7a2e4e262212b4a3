namespace Hadal.Data.Sources.Pages;

/// <summary>
/// The elements that are open at a place in a page, with the repairs of HTML's own rules that matter to its text. Every step looks at no more than <see cref="MaximumDepth"/> elements, so that the
/// whole takes time linear in the page; what is nested deeper belongs to the deepest element that is kept.
/// </summary>
internal sealed class OpenElements
{
    /// <summary>So many elements are kept open (browsers keep 512).</summary>
    public const int MaximumDepth = 256;

    private readonly OpenElement[] _elements = new OpenElement[MaximumDepth];
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly List<int> _open = [];
    private int _count;

    public OpenElements() => _lookup = _names.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The innermost open element.</summary>
    public OpenElement Top => _count > 0 ? _elements[_count - 1] : default;

    /// <summary>A number for a name; all names beyond some thousands share one.</summary>
    public int NumberOf(ReadOnlySpan<char> name)
    {
        if (_lookup.TryGetValue(name, out int number)) return number;
        if (_names.Count == 4096) return 0;
        if (_open.Count == 0) _open.Add(0);
        _names.Add(name.Length > 64 ? name[..64].ToString() + _names.Count : name.ToString(), number = _open.Count);
        _open.Add(0);
        return number;
    }

    /// <summary>Opens an element.</summary>
    public void Push(OpenElement element)
    {
        if (_count == MaximumDepth) return;
        _elements[_count++] = element;
        _open[element.Name]++;
    }

    /// <summary>Closes what a start tag closes without saying so: a paragraph before a block, an item before the next, a cell before the next.</summary>
    public void CloseBefore(PageTag tag)
    {
        if (PageTags.IsBlock(tag)) CloseUpTo(PageTag.Paragraph, stopAtBlock: true);
        switch (tag)
        {
            case PageTag.Item:
                CloseUpTo(PageTag.Item, stopAtBlock: false, PageTag.List, PageTag.Numbers);
                break;
            case PageTag.Term:
                CloseUpTo(PageTag.Term, stopAtBlock: false, PageTag.Terms, PageTag.Terms);
                break;
            case PageTag.Cell:
                CloseUpTo(PageTag.Cell, stopAtBlock: false, PageTag.Row, PageTag.Table);
                break;
            case PageTag.Row:
                CloseUpTo(PageTag.Row, stopAtBlock: false, PageTag.Table, PageTag.Table);
                break;
            case PageTag.Link:
                CloseUpTo(PageTag.Link, stopAtBlock: false, PageTag.Cell, PageTag.Item);
                break;
            case PageTag.Heading:
                CloseUpTo(PageTag.Heading, stopAtBlock: true);
                break;
        }
    }

    /// <summary>Closes an element and what is open inside it; false if none of its name is open here.</summary>
    public bool Close(PageTag tag, int name)
    {
        if (name >= _open.Count || _open[name] == 0) return false;
        bool part = tag is PageTag.Table or PageTag.Row or PageTag.Cell or PageTag.Root;
        for (int i = _count - 1; i >= 0; i--)
        {
            if (_elements[i].Name == name)
            {
                Pop(i);
                return true;
            }

            // What is inside a cell closes nothing outside it, and what is inline closes no block.
            if (!part && _elements[i].Tag is PageTag.Cell or PageTag.Table) return false;
            if (tag is PageTag.Inline or PageTag.Link && PageTags.IsBlock(_elements[i].Tag)) return false;
        }

        return false;
    }

    private void CloseUpTo(PageTag wanted, bool stopAtBlock, PageTag bound = PageTag.Root, PageTag otherBound = PageTag.Root)
    {
        for (int i = _count - 1; i >= 0; i--)
        {
            PageTag tag = _elements[i].Tag;
            if (tag == wanted)
            {
                Pop(i);
                return;
            }

            if (tag == bound || tag == otherBound || tag == PageTag.Table || (stopAtBlock && PageTags.IsBlock(tag))) return;
        }
    }

    private void Pop(int to)
    {
        while (_count > to) _open[_elements[--_count].Name]--;
    }
}
