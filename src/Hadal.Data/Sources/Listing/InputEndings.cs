using System.Collections.Frozen;

namespace Hadal.Data.Sources.Listing;

/// <summary>What the ending of a file's name says.</summary>
internal static class InputEndings
{
    private static readonly FrozenDictionary<string, InputKind> _kinds = new Dictionary<string, InputKind>(StringComparer.OrdinalIgnoreCase)
    {
        [".txt"] = InputKind.Text,
        [".text"] = InputKind.Text,
        [".md"] = InputKind.Text,
        [".markdown"] = InputKind.Text,
        [".rst"] = InputKind.Text,
        [".tex"] = InputKind.Text,
        [".jsonl"] = InputKind.JsonLines,
        [".ndjson"] = InputKind.JsonLines,
        [".json"] = InputKind.Json,
        [".csv"] = InputKind.Csv,
        [".tsv"] = InputKind.Tsv,
        [".tab"] = InputKind.Tsv,
        [".parquet"] = InputKind.Parquet,
        [".html"] = InputKind.Html,
        [".htm"] = InputKind.Html,
        [".xhtml"] = InputKind.Html,
        [".warc"] = InputKind.Warc,
        [".wet"] = InputKind.Warc,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    // A language and the endings of its files.
    private static readonly (string Language, string Endings)[] _sources =
    [
        ("assembly", ".asm .s"),
        ("awk", ".awk"),
        ("batch", ".bat"),
        ("c", ".c .h"),
        ("clojure", ".clj .cljs"),
        ("cmake", ".cmake"),
        ("cobol", ".cob"),
        ("cpp", ".cc .cpp .cxx .hh .hpp .hxx"),
        ("csharp", ".cs .csx"),
        ("css", ".css .scss .less"),
        ("cuda", ".cu .cuh"),
        ("d", ".d"),
        ("dart", ".dart"),
        ("elixir", ".ex .exs"),
        ("elm", ".elm"),
        ("erlang", ".erl .hrl"),
        ("fortran", ".f .f90 .f95"),
        ("fsharp", ".fs .fsi .fsx"),
        ("go", ".go"),
        ("groovy", ".groovy .gradle"),
        ("haskell", ".hs"),
        ("java", ".java"),
        ("javascript", ".js .cjs .mjs .jsx"),
        ("julia", ".jl"),
        ("kotlin", ".kt .kts"),
        ("lisp", ".lisp .el"),
        ("lua", ".lua"),
        ("nim", ".nim"),
        ("objective-c", ".m .mm"),
        ("ocaml", ".ml .mli"),
        ("pascal", ".pas"),
        ("perl", ".pl .pm"),
        ("php", ".php"),
        ("powershell", ".ps1 .psm1"),
        ("protobuf", ".proto"),
        ("python", ".py .pyi .pyx"),
        ("r", ".r"),
        ("ruby", ".rb"),
        ("rust", ".rs"),
        ("scala", ".scala"),
        ("scheme", ".scm"),
        ("shell", ".sh .bash .zsh"),
        ("solidity", ".sol"),
        ("sql", ".sql"),
        ("swift", ".swift"),
        ("tcl", ".tcl"),
        ("typescript", ".ts .tsx"),
        ("verilog", ".sv .v"),
        ("vhdl", ".vhd .vhdl"),
        ("visual-basic", ".vb"),
        ("vue", ".vue"),
        ("wgsl", ".wgsl"),
        ("zig", ".zig"),
    ];

    private static readonly FrozenDictionary<string, string> _languages = _sources
        .SelectMany(s => s.Endings.Split(' ').Select(ending => KeyValuePair.Create(ending, s.Language)))
        .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The kind and packing of a file by its name; null for a name that says nothing.</summary>
    public static (InputKind Kind, InputPacking Packing)? Of(string name)
    {
        InputPacking packing = PackingOf(name);
        string ending = Path.GetExtension(Unpacked(name, packing));
        if (_kinds.TryGetValue(ending, out InputKind kind))
        {
            // The pages of a Parquet file are packed inside; a packed one could not be read from its end.
            return kind == InputKind.Parquet && packing != InputPacking.None ? null : (kind, packing);
        }

        return _languages.ContainsKey(ending) ? (InputKind.SourceCode, packing) : null;
    }

    /// <summary>How a name says that the file is packed.</summary>
    public static InputPacking PackingOf(string name) => Path.GetExtension(name).ToLowerInvariant() switch
    {
        ".gz" => InputPacking.Gzip,
        ".zst" => InputPacking.Zstandard,
        ".br" => InputPacking.Brotli,
        _ => InputPacking.None,
    };

    /// <summary>The programming language that a name's ending means, or null.</summary>
    public static string? LanguageOf(string name) => _languages.GetValueOrDefault(Path.GetExtension(Unpacked(name, PackingOf(name))));

    private static string Unpacked(string name, InputPacking packing) => packing == InputPacking.None ? name : name[..^Path.GetExtension(name).Length];
}
