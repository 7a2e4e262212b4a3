using System.Collections.Frozen;

namespace Hadal.Data.Languages;

/// <summary>Programming languages by the ending of the path. Endings of markup count only if the text still has the markup: text taken out of a web page is prose.</summary>
internal static class CodeEndings
{
    private const int LongestEnding = 12;

    private static readonly FrozenDictionary<string, string> _endings = Read(
        "python py pyi pyx pyw; csharp cs csx; c c h; cpp cpp cc cxx hpp hh hxx ipp; cuda cu cuh; java java; javascript js mjs cjs jsx; typescript ts mts cts tsx; go go; rust rs; "
        + "html html htm xhtml; css css scss less sass; json json ipynb geojson; xml xml xsd xsl xslt svg csproj props targets resx xaml plist; yaml yaml yml; sql sql; "
        + "shell sh bash zsh ksh fish; powershell ps1 psm1; php php; ruby rb; perl pl pm; lua lua; kotlin kt kts; swift swift; scala scala sc; r r; julia jl; haskell hs; "
        + "fsharp fs fsx fsi; vb vb; dart dart; elixir ex exs; erlang erl hrl; clojure clj cljs; ocaml ml mli; objectivec m mm; fortran f f90 f95 f03; assembly asm s; "
        + "pascal pas pp; zig zig; nim nim; protobuf proto; toml toml; cmake cmake; make mk; tex tex sty; matlab mat; groovy groovy gradle; verilog v sv; vhdl vhd vhdl; lisp lisp el scm; awk awk; "
        + "batch bat; cobol cob; d d; elm elm; solidity sol; tcl tcl; vue vue; wgsl wgsl");

    private static readonly FrozenDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> _lookup = _endings.GetAlternateLookup<ReadOnlySpan<char>>();

    internal static string? Find(string path, ReadOnlySpan<char> text)
    {
        ReadOnlySpan<char> name = path.AsSpan(path.AsSpan().LastIndexOfAny('/', '\\') + 1);
        if (name is "Makefile" or "makefile" or "GNUmakefile") return "code:make";
        if (name is "Dockerfile") return "code:dockerfile";
        if (name is "CMakeLists.txt") return "code:cmake";
        int dot = name.LastIndexOf('.');
        if (dot < 0 || name.Length - dot - 1 is 0 or > LongestEnding) return null;
        Span<char> ending = stackalloc char[LongestEnding];
        ending = ending[..name[(dot + 1)..].ToLowerInvariant(ending)];
        if (ending is "h") return CodeShape.IsCpp(text) ? "code:cpp" : "code:c";
        if (!_lookup.TryGetValue(ending, out string? language)) return null;
        ReadOnlySpan<char> start = text.TrimStart();
        return language switch
        {
            "code:html" or "code:xml" when !start.StartsWith('<') => null,
            "code:json" when !start.StartsWith('{') && !start.StartsWith('[') => null,
            _ => language,
        };
    }

    /// <summary>The language of an ending without its full stop, whatever the text is; null for none.</summary>
    internal static string? Of(ReadOnlySpan<char> ending)
    {
        Span<char> small = stackalloc char[LongestEnding];
        return ending.Length <= LongestEnding && _lookup.TryGetValue(small[..ending.ToLowerInvariant(small)], out string? language) ? language : null;
    }

    private static FrozenDictionary<string, string> Read(string lists)
    {
        Dictionary<string, string> endings = new(StringComparer.Ordinal);
        foreach (string list in lists.Split("; "))
        {
            string[] parts = list.Split(' ');
            foreach (string ending in parts[1..]) endings.Add(ending, "code:" + parts[0]);
        }

        return endings.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
