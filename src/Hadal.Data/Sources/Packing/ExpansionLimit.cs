using System.Globalization;

namespace Hadal.Data.Sources.Packing;

/// <summary>How far packed bytes may expand: beyond an allowance, a number of times what was read of them.</summary>
internal readonly record struct ExpansionLimit(long Allowance, int Times, int ZstandardWindowLog)
{
    public static ExpansionLimit Of(InputOptions options) => new(options.ExpansionAllowance, options.MaximumExpansion, options.MaximumZstandardWindowLog);

    /// <exception cref="DataException">The limit is passed.</exception>
    public void Check(long unpacked, long packed, string path)
    {
        if (unpacked <= Allowance || unpacked <= Times * Math.Max(packed, 1)) return;
        throw new DataException(
            string.Create(CultureInfo.InvariantCulture, $"{path} expands to more than {Allowance} bytes and more than {Times} times its packed size ({packed} packed bytes gave {unpacked}); reading stops here. Unpack it yourself or raise the limit if it is genuine."),
            path);
    }
}
