using Hadal.Data.Shards;

namespace Hadal.Data.Mixtures;

/// <summary>The group of a document.</summary>
internal static class GroupName
{
    private const int MostCharacters = 200;
    private const string Unknown = "unknown";

    public static string Of(GroupKind by, string source, string language)
    {
        string name = by == GroupKind.Source ? source : language.Split(':')[0];
        if (name.Length == 0) return Unknown;
        if (name == ShardGroup.ValidationName) return name + " (source)";
        return name.Length <= MostCharacters ? name : name[..(char.IsHighSurrogate(name[MostCharacters - 1]) ? MostCharacters - 1 : MostCharacters)];
    }
}
