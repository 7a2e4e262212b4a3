namespace Hadal.Parallel.Experts;

/// <summary>What carriages are called in traces.</summary>
internal static class CarriageNames
{
    private static readonly string[] _names = ["dispatch", "combine", "dispatch of gradients", "combine of gradients"];

    public static string Name(this Carriage carriage) => _names[(int)carriage];
}
