namespace Hadal.Data.Languages;

/// <summary>What is looked at of a text: all of a short one, evenly spread stretches of a long one, each from the start of a line or word where one is near.</summary>
internal static class TextSample
{
    internal const int Stretches = 6, StretchLength = 4096;
    private const int LongestSearch = 256;

    internal static ReadOnlySpan<char> Of(string text)
    {
        if (text.Length <= Stretches * StretchLength) return text;
        char[] sample = new char[Stretches * (StretchLength + 1)];
        int length = 0;
        for (int i = 0; i < Stretches; i++)
        {
            int start = (int)((long)i * (text.Length - StretchLength) / (Stretches - 1));
            int end = start + StretchLength;
            if (i > 0)
            {
                ReadOnlySpan<char> head = text.AsSpan(start, LongestSearch);
                int cut = head.IndexOf('\n');
                if (cut < 0) cut = head.IndexOf(' ');
                if (cut < 0 && char.IsLowSurrogate(head[0])) cut = 0;
                start += cut + 1;
            }

            text.AsSpan(start, end - start).CopyTo(sample.AsSpan(length));
            length += end - start;
            sample[length++] = '\n';
        }

        return sample.AsSpan(0, length);
    }
}
