using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hadal.Data.Pipeline.Recipes;

/// <summary>What is wrong with a recipe, in the words of recipes: those of the platform name types.</summary>
internal static class RecipeErrors
{
    private const string Converted = "could not be converted to ";

    /// <summary>The reason, as a part of a sentence.</summary>
    public static string Reason(JsonException error)
    {
        string message = error.Message.Split(" Path:")[0].TrimEnd('.');
        if (message.Contains("could not be mapped", StringComparison.Ordinal)) return "there is no such field";
        if (message.Contains("null values", StringComparison.Ordinal)) return "this field cannot be null; give it a value or leave it out";
        if (message.Contains("missing required properties", StringComparison.Ordinal)) return $"a field is missing: {message[(message.LastIndexOf(':') + 1)..].Trim()}";
        int type = message.IndexOf(Converted, StringComparison.Ordinal);
        return type < 0 ? message : $"the value is not {Wanted(message[(type + Converted.Length)..])}";
    }

    private static string Wanted(string type)
    {
        if (typeof(RecipeErrors).Assembly.GetType(type) is { IsEnum: true } choice)
            return $"one of {string.Join(", ", choice.GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => f.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? f.Name))}";
        return type switch
        {
            _ when type.Contains("List", StringComparison.Ordinal) => "a list",
            _ when type.Contains("Dictionary", StringComparison.Ordinal) => "an object",
            _ when type.Contains("Int", StringComparison.Ordinal) => "a whole number in range",
            _ when type.Contains("Double", StringComparison.Ordinal) => "a number",
            _ when type.Contains("Boolean", StringComparison.Ordinal) => "true or false",
            _ when type.Contains("System.String", StringComparison.Ordinal) => "a text",
            _ => "an object",
        };
    }
}
