using System.Collections.Frozen;

namespace Hadal.Data.Quality;

/// <summary>Tells the form of a text from its language and its characters.</summary>
internal static class TextForms
{
    private const int Sample = 1 << 15;

    private static readonly FrozenSet<string> _code = FrozenSet.Create(StringComparer.OrdinalIgnoreCase,
        "assembly", "c", "c++", "cpp", "c#", "csharp", "clojure", "cmake", "css", "cuda", "d", "dart", "dockerfile", "elixir", "erlang", "fortran", "fsharp", "f#", "glsl", "go",
        "groovy", "haskell", "hlsl", "java", "javascript", "julia", "kotlin", "lisp", "lua", "makefile", "nim", "objective-c", "ocaml", "pascal", "perl", "php", "powershell",
        "protobuf", "python", "r", "ruby", "rust", "scala", "scheme", "shell", "solidity", "sql", "swift", "tcl", "typescript", "verilog", "vhdl", "visual-basic", "vue", "wgsl", "zig");

    /// <summary>Code and mathematics by the language; without blanks if a third of the first letters are of such scripts, whatever the language says.</summary>
    public static TextForm Of(ReadOnlySpan<char> text, string? language)
    {
        if (language is not null)
        {
            if (language.StartsWith("code", StringComparison.OrdinalIgnoreCase) || _code.Contains(language)) return TextForm.Code;
            if (language.StartsWith("math", StringComparison.OrdinalIgnoreCase)) return TextForm.Math;
        }

        CharacterClass[] classes = CharacterClasses.Table;
        int spaced = 0, unspaced = 0;
        foreach (char c in text[..Math.Min(Sample, text.Length)])
        {
            var kind = classes[c];
            if (kind is CharacterClass.Letter or CharacterClass.Capital) spaced++;
            else if (kind is CharacterClass.Ideograph or CharacterClass.FrequentIdeograph) unspaced++;
        }

        // A word of a spaced script has about five letters, so that a third of the letters is most of the words.
        return unspaced > 0 && unspaced * 2 >= spaced ? TextForm.Unspaced : TextForm.Spaced;
    }
}
