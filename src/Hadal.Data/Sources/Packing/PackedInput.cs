using System.IO.Compression;

namespace Hadal.Data.Sources.Packing;

/// <summary>Opens a file as the bytes it means: unpacked, with what is cut short told from what is whole, and with a bound on how far it expands.</summary>
internal static class PackedInput
{
    /// <exception cref="DataException">The file cannot be opened.</exception>
    public static Stream Open(string path, InputPacking packing, ExpansionLimit limit)
    {
        FileStream file = Files.FileAccessErrors.Open(path);
        return packing == InputPacking.None ? file : Unpack(file, packing, limit, path);
    }

    /// <summary>Unpacks a stream; closing the result closes it.</summary>
    public static Stream Unpack(Stream packed, InputPacking packing, ExpansionLimit limit, string path)
    {
        if (packing == InputPacking.None) return packed;
        if (packing == InputPacking.Gzip)
        {
            var followed = new FollowedStream(packed);
            return new UnpackedStream(new GZipStream(followed, CompressionMode.Decompress), followed, limit, path, "gzip");
        }

        var counted = new CountedStream(packed);
        if (packing == InputPacking.Brotli) return new UnpackedStream(new BrotliInput(counted), counted, limit, path, "Brotli");
        var zstandard = new ZstdSharp.DecompressionStream(counted, bufferSize: 1 << 17, checkEndOfStream: true, leaveOpen: false);
        zstandard.SetParameter(ZstdSharp.Unsafe.ZSTD_dParameter.ZSTD_d_windowLogMax, limit.ZstandardWindowLog);
        return new UnpackedStream(zstandard, counted, limit, path, "Zstandard");
    }
}
