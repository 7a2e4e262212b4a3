using System.Globalization;
using System.Text;

namespace Hadal.Data.Sources.Pages;

/// <summary>
/// Chooses the blocks that are a page's main text. Blocks of sentences are good, blocks of links bad; what is short is decided by its neighbours, since a title or a list belongs to the text that it stands in
/// and a menu to the menus around it (the idea of Kohlschütter et al., "Boilerplate Detection using Shallow Text Features", and of jusText, with rules of our own).
/// </summary>
internal static class MainText
{
    // In characters of a script with letters; ideographs count double, since they say more.
    private const int LongLength = 120;
    private const int SentenceLength = 40;

    // The most of a block's characters that may be those of links.
    private const double MostLinksOfGood = 0.35;
    private const double MostLinks = 0.55;

    private enum Judgement : byte
    {
        Bad,
        Short,
        Good,
    }

    /// <summary>The main text of HTML, paragraphs set apart by a blank line; empty where there is none.</summary>
    public static string Of(ReadOnlyMemory<char> html)
    {
        PageBlocks page = PageParser.Parse(html);
        ReadOnlySpan<char> text = page.Text;
        var judged = new Judgement[page.Blocks.Count];
        for (int i = 0; i < judged.Length; i++) judged[i] = Judge(page.Blocks[i], text);
        LeaveOutForms(page.Blocks, judged);
        bool whole = !KeepRegions(page.Blocks, judged);
        DecideShort(page.Blocks, judged, whole);
        return Write(page, judged);
    }

    private static Judgement Judge(in PageBlock block, ReadOnlySpan<char> text)
    {
        ReadOnlySpan<char> own = text.Slice(block.Start, block.Length);
        double links = (double)block.Linked / block.Length;
        if (block.Kind == PageTag.Preformatted) return links > 0.9 ? Judgement.Bad : Judgement.Good;
        if (block.Kind == PageTag.Heading) return Judgement.Short;
        if (links > MostLinks) return Judgement.Bad;
        int length = Weight(own);
        if (links <= MostLinksOfGood && (length >= LongLength || (length >= SentenceLength && EndsSentence(own)))) return Judgement.Good;
        return Judgement.Short;
    }

    private static int Weight(ReadOnlySpan<char> text)
    {
        int weight = 0;
        foreach (char c in text[..Math.Min(text.Length, 2 * LongLength)]) weight += c is >= '\u3040' and <= '\u9FFF' or >= '\uAC00' and <= '\uD7A3' ? 3 : 1;
        return weight;
    }

    private static bool EndsSentence(ReadOnlySpan<char> text) =>
        text.TrimEnd("\"'”’»」』)）]") is { Length: > 0 } rest && rest[^1] is '.' or '!' or '?' or '…' or ':' or ';' or '。' or '！' or '？' or '；' or '：' or '．' or '।' or '؟';

    // A search box goes; but whole pages stand in one form, too.
    private static void LeaveOutForms(IReadOnlyList<PageBlock> blocks, Judgement[] judged)
    {
        var good = new Dictionary<int, long>();
        long all = 0;
        for (int i = 0; i < judged.Length; i++)
        {
            if (judged[i] != Judgement.Good) continue;
            all += blocks[i].Length;
            good[blocks[i].Form] = good.GetValueOrDefault(blocks[i].Form) + blocks[i].Length;
        }

        for (int i = 0; i < judged.Length; i++)
        {
            if (blocks[i].Form > 0 && good.GetValueOrDefault(blocks[i].Form) * 2 <= all) judged[i] = Judgement.Bad;
        }
    }

    // Where a page marks its main part or its articles and they hold most of what is good, the rest goes.
    private static bool KeepRegions(IReadOnlyList<PageBlock> blocks, Judgement[] judged)
    {
        long inside = 0, all = 0;
        for (int i = 0; i < judged.Length; i++)
        {
            if (judged[i] != Judgement.Good) continue;
            all += blocks[i].Length;
            if (blocks[i].Region > 0) inside += blocks[i].Length;
        }

        if (inside == 0 || inside * 2 < all) return false;
        for (int i = 0; i < judged.Length; i++)
        {
            if (blocks[i].Region == 0) judged[i] = Judgement.Bad;
        }

        return true;
    }

    // A run of short blocks is kept between good ones; before or after one, a heading or a list beside it is. Inside a marked region, and where a page has nothing good, all short blocks are kept.
    private static void DecideShort(IReadOnlyList<PageBlock> blocks, Judgement[] judged, bool whole)
    {
        bool keepAll = !whole || Array.IndexOf(judged, Judgement.Good) < 0;
        for (int i = 0; i < judged.Length;)
        {
            if (judged[i] != Judgement.Short)
            {
                i++;
                continue;
            }

            int end = i;
            while (end < judged.Length && judged[end] == Judgement.Short) end++;
            bool before = i > 0 && judged[i - 1] == Judgement.Good, after = end < judged.Length && judged[end] == Judgement.Good;
            if (keepAll || (before && after))
            {
                Array.Fill(judged, Judgement.Good, i, end - i);
            }
            else
            {
                int kept = before ? Near(blocks, i, end, 1) : 0, keptAtEnd = after ? Near(blocks, end - 1, i - 1, -1) : 0;
                Array.Fill(judged, Judgement.Bad, i, end - i);
                Array.Fill(judged, Judgement.Good, i, kept);
                Array.Fill(judged, Judgement.Good, end - keptAtEnd, keptAtEnd);
            }

            i = end;
        }
    }

    // How many short blocks beside a good one belong to it: items of one list or rows of one table, and up to two others; a heading only before what it heads.
    private static int Near(IReadOnlyList<PageBlock> blocks, int from, int end, int step)
    {
        int kept = 0, others = 0;
        for (int i = from; i != end; i += step)
        {
            PageTag kind = blocks[i].Kind;
            if (kind == PageTag.Heading && step > 0) break;
            if (kind is not (PageTag.Item or PageTag.Row) && ++others > 2) break;
            kept++;
            if (kind == PageTag.Heading) break;
        }

        return kept;
    }

    // Items of one list, or of one inside the other, and rows of one table stand without a blank line between them.
    private static bool IsOneWith(in PageBlock block, in PageBlock last) =>
        block.Kind == last.Kind && (block.Kind == PageTag.Row || (block.Kind == PageTag.Item && (block.Depth != last.Depth || (block.Number > 0) == (last.Number > 0))));

    private static string Write(PageBlocks page, Judgement[] judged)
    {
        // A heading with nothing under it says nothing.
        int end = judged.Length;
        while (end > 0 && (judged[end - 1] != Judgement.Good || page.Blocks[end - 1].Kind == PageTag.Heading)) end--;
        if (end == 0) end = judged.Length;
        var result = new StringBuilder();
        int last = -1;
        for (int i = 0; i < end; i++)
        {
            if (judged[i] != Judgement.Good) continue;
            PageBlock block = page.Blocks[i];
            if (last >= 0) result.Append(IsOneWith(block, page.Blocks[last]) ? "\n" : "\n\n");
            if (block.Kind == PageTag.Item)
            {
                result.Append(' ', 2 * Math.Min(Math.Max(block.Depth - 1, 0), 8));
                if (block.Number > 0) result.Append(CultureInfo.InvariantCulture, $"{block.Number}. ");
                else result.Append("- ");
            }

            result.Append(page.Text.Slice(block.Start, block.Length));
            last = i;
        }

        return result.ToString();
    }
}
