using System.Collections.Frozen;
using Hadal.Data.Languages;

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

    // What is source code; data that programs read (XML, YAML, TOML) is none.
    private static readonly FrozenSet<string> _sources = FrozenSet.Create(StringComparer.OrdinalIgnoreCase, (
        ".asm .s .awk .bat .c .h .clj .cljs .cmake .cob .cc .cpp .cxx .hh .hpp .hxx .cs .csx .css .scss .less .cu .cuh .d .dart .ex .exs .elm .erl .hrl .f .f90 .f95 .fs .fsi .fsx "
        + ".go .groovy .gradle .hs .java .js .cjs .mjs .jsx .jl .kt .kts .lisp .el .lua .nim .m .mm .ml .mli .pas .pl .pm .php .ps1 .psm1 .proto .py .pyi .pyx .r .rb .rs .scala .scm "
        + ".sh .bash .zsh .sol .sql .swift .tcl .ts .tsx .sv .v .vhd .vhdl .vb .vue .wgsl .zig").Split(' '));

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

        return _sources.Contains(ending) ? (InputKind.SourceCode, packing) : null;
    }

    /// <summary>How a name says that the file is packed.</summary>
    public static InputPacking PackingOf(string name) => Path.GetExtension(name).ToLowerInvariant() switch
    {
        ".gz" => InputPacking.Gzip,
        ".zst" => InputPacking.Zstandard,
        ".br" => InputPacking.Brotli,
        _ => InputPacking.None,
    };

    /// <summary>The programming language of a source file by its name (<c>code:python</c>), null for another file.</summary>
    public static string? LanguageOf(string name)
    {
        string ending = Path.GetExtension(Unpacked(name, PackingOf(name)));
        return _sources.Contains(ending) ? CodeEndings.Of(ending.AsSpan(1)) : null;
    }

    private static string Unpacked(string name, InputPacking packing) => packing == InputPacking.None ? name : name[..^Path.GetExtension(name).Length];
}
