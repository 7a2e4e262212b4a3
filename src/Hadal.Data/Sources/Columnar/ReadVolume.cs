using Hadal.Data.Sources.Packing;

namespace Hadal.Data.Sources.Columnar;

/// <summary>How much was read of a file, and what it became, within bounds.</summary>
/// <param name="limit">How far the file may expand.</param>
/// <param name="maximumPageBytes">The largest page, once unpacked.</param>
/// <param name="path">The file.</param>
internal sealed class ReadVolume(ExpansionLimit limit, int maximumPageBytes, string path)
{
    private long _packed;
    private long _unpacked;
    private long _given;

    /// <summary>Allows a page before anything of its size is allocated.</summary>
    /// <exception cref="InvalidDataException">The page is too large.</exception>
    /// <exception cref="DataException">The file expands too far.</exception>
    public void Page(int packed, int unpacked)
    {
        if (Math.Max(packed, unpacked) > maximumPageBytes)
        {
            throw new InvalidDataException(string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"a page claims {Math.Max(packed, unpacked)} bytes, more than the {maximumPageBytes} that one may have (write the file with smaller pages or raise the limit)"));
        }

        _packed += packed;
        _unpacked += unpacked;
        limit.Check(_unpacked, _packed, path);
    }

    /// <summary>Counts what a row became: one value of a dictionary can stand in millions of rows.</summary>
    /// <exception cref="DataException">The file expands too far.</exception>
    public void Give(long bytes)
    {
        _given += bytes;
        limit.Check(_given, _packed, path);
    }
}
