namespace Hadal.Cli.Diagnosis;

/// <summary>One thing that was looked at.</summary>
/// <param name="Name">What, in one word.</param>
/// <param name="Ok">Whether hadal can work with it.</param>
/// <param name="Detail">What was found; if it is not well, what to do about it.</param>
internal sealed record Check(string Name, bool Ok, string Detail);
