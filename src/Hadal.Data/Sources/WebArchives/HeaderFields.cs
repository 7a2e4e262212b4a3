using System.Text;

namespace Hadal.Data.Sources.WebArchives;

/// <summary>Lines of <c>name: value</c> as records and HTTP answers have them.</summary>
internal static class HeaderFields
{
    /// <summary>The length of a head with the blank line that ends it; -1 if there is none.</summary>
    public static int Length(ReadOnlySpan<byte> bytes)
    {
        int crlf = bytes.IndexOf("\r\n\r\n"u8), lf = bytes.IndexOf("\n\n"u8);
        if (crlf >= 0 && (lf < 0 || crlf < lf)) return crlf + 4;
        return lf >= 0 ? lf + 2 : -1;
    }

    /// <summary>The first value of a name, without blanks around it; null if there is none.</summary>
    public static string? Find(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
    {
        while (!head.IsEmpty)
        {
            int end = head.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? head : head[..end];
            head = end < 0 ? [] : head[(end + 1)..];
            if (line.Length <= name.Length || !Ascii.EqualsIgnoreCase(line[..name.Length], name)) continue;
            ReadOnlySpan<byte> rest = line[name.Length..].TrimStart(" \t"u8);
            if (rest.StartsWith((byte)':')) return Encoding.UTF8.GetString(rest[1..].Trim(" \t\r"u8));
        }

        return null;
    }

    /// <summary>The type in small letters and the charset of a content type.</summary>
    public static (string Type, string? Charset) ContentType(string? value)
    {
        if (value is null) return ("", null);
        int end = value.IndexOf(';', StringComparison.Ordinal);
        string type = (end < 0 ? value : value[..end]).Trim().ToLowerInvariant();
        int at = value.IndexOf("charset=", StringComparison.OrdinalIgnoreCase);
        if (at < 0) return (type, null);
        string charset = value[(at + 8)..].Trim().Trim('"', '\'');
        int stop = charset.AsSpan().IndexOfAny("; ,\"'");
        return (type, stop < 0 ? charset : charset[..stop]);
    }
}
