using Hadal.Data.Exports.Columnar;

namespace Hadal.Data.Tests.Sources;

/// <summary>Writes Parquet files that no library would write.</summary>
internal static class HandmadeParquet
{
    /// <summary>A file with one column "text" of dictionary values that are given as they are.</summary>
    /// <param name="path">Where.</param>
    /// <param name="rows">So many rows are claimed.</param>
    /// <param name="dictionary">For each entry how often it stands there, and its bytes.</param>
    /// <param name="indices">The data page: the width in bits, then runs.</param>
    public static void Write(string path, int rows, IReadOnlyList<KeyValuePair<int, byte[]>> dictionary, byte[] indices)
    {
        using var file = new MemoryStream();
        file.Write("PAR1"u8);
        using var entries = new MemoryStream();
        foreach ((int times, byte[] bytes) in dictionary)
        {
            for (int i = 0; i < times; i++)
            {
                entries.Write(BitConverter.GetBytes(bytes.Length));
                entries.Write(bytes);
            }
        }

        file.Write(new ThriftWriter().Int32(1, 2).Int32(2, (int)entries.Length).Int32(3, (int)entries.Length).Begin(7).Int32(1, dictionary.Sum(d => d.Key)).Int32(2, 0).End().End().Written);
        entries.WriteTo(file);
        long data = file.Length;
        file.Write(new ThriftWriter().Int32(1, 0).Int32(2, indices.Length).Int32(3, indices.Length).Begin(5).Int32(1, rows).Int32(2, 8).Int32(3, 3).Int32(4, 3).End().End().Written);
        file.Write(indices);
        ReadOnlySpan<byte> footer = new ThriftWriter()
            .Int32(1, 1).List(2, 12, 2).Begin().Text(4, "root").Int32(5, 1).End().Begin().Int32(1, 6).Int32(3, 0).Text(4, "text").End().Int64(3, rows)
            .List(4, 12, 1).Begin().List(1, 12, 1).Begin().Int64(2, 0).Begin(3)
            .Int32(1, 6).List(3, 8, 1).Text("text").Int32(4, 0).Int64(5, rows).Int64(6, file.Length - 4).Int64(7, file.Length - 4).Int64(9, data).Int64(11, 4).End().End()
            .Int64(2, file.Length - 4).Int64(3, rows).End().End().Written;
        file.Write(footer);
        file.Write(BitConverter.GetBytes(footer.Length));
        file.Write("PAR1"u8);
        File.WriteAllBytes(path, file.ToArray());
    }

    /// <summary>A run of one number, less than a byte wide.</summary>
    public static byte[] Run(int count, byte value)
    {
        var bytes = new List<byte>();
        uint header = (uint)count << 1;
        for (; header >= 0x80; header >>= 7) bytes.Add((byte)(header | 0x80));
        bytes.AddRange([(byte)header, value]);
        return [.. bytes];
    }
}
