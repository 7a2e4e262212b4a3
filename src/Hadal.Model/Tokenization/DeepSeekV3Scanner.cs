namespace Hadal.Model.Tokenization;

/// <summary>
/// The three Split steps of the DeepSeek-V3 pre-tokenizer in one pass over code points:
/// groups of up to three digits, runs of Han and kana, and the word rule, which works inside what the first two leave.
/// </summary>
internal static class DeepSeekV3Scanner
{
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
            byte kind = CharacterKinds.At(text, start, out int width);
            int end = start + width;
            if ((kind & CharacterKinds.Number) != 0)
            {
                for (int digits = 1; digits < 3 && end < text.Length; digits++)
                {
                    if ((CharacterKinds.At(text, end, out width) & CharacterKinds.Number) == 0) break;
                    end += width;
                }

                // The word rule finds nothing in a group of digits, so the group is a piece as it is.
                sink.Add(text[start..end]);
            }
            else
            {
                // A stretch ends where a digit starts or where Han and kana begin or end.
                int side = kind & CharacterKinds.HanOrKana;
                while (end < text.Length)
                {
                    kind = CharacterKinds.At(text, end, out width);
                    if ((kind & CharacterKinds.Number) != 0 || (kind & CharacterKinds.HanOrKana) != side) break;
                    end += width;
                }

                SplitWords(text[start..end], ref sink);
            }

            start = end;
        }
    }

    private static void SplitWords<TSink>(ReadOnlySpan<char> text, ref TSink sink)
        where TSink : IPieceSink, allows ref struct
    {
        // What no alternative matches stays as pieces in between, each a maximal stretch.
        int unmatched = 0;
        int place = 0;
        while (place < text.Length)
        {
            int end = MatchWord(text, place, out int width);
            if (end == place)
            {
                place += width;
                continue;
            }

            if (unmatched < place) sink.Add(text[unmatched..place]);
            sink.Add(text[place..end]);
            place = unmatched = end;
        }

        if (unmatched < text.Length) sink.Add(text[unmatched..]);
    }

    /// <summary>The end of the word rule's match at a place, or the place itself when it matches nothing there.</summary>
    private static int MatchWord(ReadOnlySpan<char> text, int place, out int width)
    {
        const byte LetterOrMark = CharacterKinds.Letter | CharacterKinds.Mark;
        byte kind = CharacterKinds.At(text, place, out width);
        int next = place + width;

        // [ASCII punctuation][A-Za-z]+
        if ((kind & CharacterKinds.AsciiPunctuation) != 0 && next < text.Length && CharacterKinds.IsAsciiLetter(text[next]))
        {
            do next++;
            while (next < text.Length && CharacterKinds.IsAsciiLetter(text[next]));
            return next;
        }

        // [^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+ : a mark may be either part, which makes no difference to where the match ends.
        if ((kind & LetterOrMark) != 0) return EndOfRun(text, next, LetterOrMark);
        if ((kind & (CharacterKinds.LineBreak | CharacterKinds.PunctuationOrSymbol)) == 0 && next < text.Length
            && (CharacterKinds.At(text, next, out int nextWidth) & LetterOrMark) != 0)
            return EndOfRun(text, next + nextWidth, LetterOrMark);

        // " ?[\p{P}\p{S}]+[\r\n]*"
        int mark = text[place] == ' ' ? next : place;
        int marksEnd = EndOfRun(text, mark, CharacterKinds.PunctuationOrSymbol);
        if (marksEnd > mark) return EndOfRun(text, marksEnd, CharacterKinds.LineBreak);

        // \s*[\r\n]+ : up to the last line break of the white space; \s+(?!\S) : all but the blank before a word; \s+
        if ((kind & CharacterKinds.WhiteSpace) == 0) return place;
        int end = place;
        int afterBreak = -1;
        while (end < text.Length && ((kind = CharacterKinds.At(text, end, out _)) & CharacterKinds.WhiteSpace) != 0)
        {
            end++;
            if ((kind & CharacterKinds.LineBreak) != 0) afterBreak = end;
        }

        if (afterBreak >= 0) return afterBreak;
        return end < text.Length && end - place > 1 ? end - 1 : end;
    }

    private static int EndOfRun(ReadOnlySpan<char> text, int place, byte kinds)
    {
        while (place < text.Length && (CharacterKinds.At(text, place, out int width) & kinds) != 0) place += width;
        return place;
    }
}
