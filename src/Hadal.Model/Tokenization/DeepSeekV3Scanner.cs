namespace Hadal.Model.Tokenization;

/// <summary>
/// The three Split steps of the DeepSeek-V3 pre-tokenizer in one pass over code points:
/// groups of up to three digits, runs of Han and kana, and the word rule, which works inside what the first two leave.
/// </summary>
internal static class DeepSeekV3Scanner
{
    // No bit of CharacterKinds, so that it is of no kind.
    private const int Outside = 256;

    internal const string DigitPattern = @"\p{N}{1,3}";

    internal const string HanKanaPattern = "[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+";

    internal const string WordPattern =
        @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^" + "\r\n" + @"\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+["
        + "\r\n" + @"]*|\s*[" + "\r\n" + @"]+|\s+(?!\S)|\s+";

    /// <summary>Cuts well-formed text (no lone surrogates) into pieces; their concatenation is the text.</summary>
    internal static void Split<TSink>(ReadOnlySpan<char> text, ref TSink sink)
        where TSink : IPieceSink, allows ref struct
    {
        int start = 0;
        while (start < text.Length)
        {
            int end = EndOfPiece(text, start);
            sink.Add(text[start..end]);
            start = end;
        }
    }

    /// <summary>The end of the piece that starts at a place.</summary>
    /// <param name="text">Well-formed text.</param>
    /// <param name="start">Where a piece starts: the start of the text, or the end of the piece before.</param>
    internal static int EndOfPiece(ReadOnlySpan<char> text, int start)
    {
        byte kind = CharacterKinds.At(text, start, out int width);
        int end = start + width;
        if ((kind & CharacterKinds.Number) != 0)
        {
            for (int digits = 1; digits < 3 && end < text.Length; digits++)
            {
                if ((CharacterKinds.At(text, end, out width) & CharacterKinds.Number) == 0) break;
                end += width;
            }

            return end;
        }

        // The first two patterns cut the text into stretches, and the word rule sees only its own: it ends where a digit starts or where Han and kana
        // begin or end.
        byte side = (byte)(kind & CharacterKinds.HanOrKana);
        end = MatchWord(text, start, side, out width);
        if (end > start) return end;

        // What no alternative matches stays as a piece in between, as long as it goes.
        for (end = start + width; end < text.Length; end += width)
            if (KindInside(text, end, side, out width) == Outside || MatchWord(text, end, side, out _) > end) break;
        return end;
    }

    /// <summary>The end of the word rule's match at a place, or the place itself when it matches nothing there.</summary>
    private static int MatchWord(ReadOnlySpan<char> text, int place, byte side, out int width)
    {
        const int LetterOrMark = CharacterKinds.Letter | CharacterKinds.Mark;
        int kind = KindInside(text, place, side, out width);
        int next = place + width;

        // [ASCII punctuation][A-Za-z]+
        if ((kind & CharacterKinds.AsciiPunctuation) != 0 && next < text.Length && CharacterKinds.IsAsciiLetter(text[next]))
        {
            do next++;
            while (next < text.Length && CharacterKinds.IsAsciiLetter(text[next]));
            return next;
        }

        // [^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+ : a mark may be either part, which makes no difference to where the match ends.
        if ((kind & LetterOrMark) != 0) return EndOfRun(text, next, side, LetterOrMark);
        if ((kind & (CharacterKinds.LineBreak | CharacterKinds.PunctuationOrSymbol)) == 0 && next < text.Length
            && (KindInside(text, next, side, out int nextWidth) & LetterOrMark) != 0)
            return EndOfRun(text, next + nextWidth, side, LetterOrMark);

        // " ?[\p{P}\p{S}]+[\r\n]*"
        int mark = text[place] == ' ' ? next : place;
        int marksEnd = EndOfRun(text, mark, side, CharacterKinds.PunctuationOrSymbol);
        if (marksEnd > mark) return EndOfRun(text, marksEnd, side, CharacterKinds.LineBreak);

        // \s*[\r\n]+ : up to the last line break of the white space; \s+(?!\S) : all but the blank before a word; \s+
        if ((kind & CharacterKinds.WhiteSpace) == 0) return place;
        int end = place;
        int afterBreak = -1;
        kind = Outside;
        while (end < text.Length && ((kind = KindInside(text, end, side, out _)) & CharacterKinds.WhiteSpace) != 0)
        {
            end++;
            if ((kind & CharacterKinds.LineBreak) != 0) afterBreak = end;
        }

        if (afterBreak >= 0) return afterBreak;
        return end < text.Length && kind != Outside && end - place > 1 ? end - 1 : end;
    }

    private static int EndOfRun(ReadOnlySpan<char> text, int place, byte side, int kinds)
    {
        while (place < text.Length && (KindInside(text, place, side, out int width) & kinds) != 0) place += width;
        return place;
    }

    /// <summary>The kinds of a character, or <see cref="Outside"/> for one that is not in the same stretch.</summary>
    private static int KindInside(ReadOnlySpan<char> text, int place, byte side, out int width)
    {
        byte kind = CharacterKinds.At(text, place, out width);
        return (kind & (CharacterKinds.Number | CharacterKinds.HanOrKana)) == side ? kind : Outside;
    }
}
