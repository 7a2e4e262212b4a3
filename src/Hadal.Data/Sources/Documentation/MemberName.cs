using System.Text;

namespace Hadal.Data.Sources.Documentation;

/// <summary>
/// A documentation comment identifier (C# specification, annex D.4.2), such as <c>M:System.Collections.Generic.List`1.Add(`0)</c>, taken apart.
/// </summary>
internal sealed class MemberName
{
    private static readonly Dictionary<string, string> _keywords = new(StringComparer.Ordinal)
    {
        ["System.Boolean"] = "bool",
        ["System.Byte"] = "byte",
        ["System.SByte"] = "sbyte",
        ["System.Char"] = "char",
        ["System.Decimal"] = "decimal",
        ["System.Double"] = "double",
        ["System.Single"] = "float",
        ["System.Int16"] = "short",
        ["System.Int32"] = "int",
        ["System.Int64"] = "long",
        ["System.UInt16"] = "ushort",
        ["System.UInt32"] = "uint",
        ["System.UInt64"] = "ulong",
        ["System.IntPtr"] = "nint",
        ["System.UIntPtr"] = "nuint",
        ["System.Object"] = "object",
        ["System.String"] = "string",
        ["System.Void"] = "void",
    };

    private MemberName(char kind, string type, string name, string? parameters, string? result)
    {
        Kind = kind;
        Type = type;
        Name = name;
        Parameters = parameters;
        Result = result;
    }

    /// <summary>T type, M method, P property, F field, E event.</summary>
    public char Kind { get; }

    /// <summary>The type, or the type that declares the member: <c>System.Collections.Generic.List`1</c>.</summary>
    public string Type { get; }

    /// <summary>The member without its type: <c>Add</c>, <c>#ctor</c>, <c>ConvertAll``1</c>. Empty for a type.</summary>
    public string Name { get; }

    /// <summary>What stands between the parentheses, or null where there are none.</summary>
    public string? Parameters { get; }

    /// <summary>The result type of a conversion operator, or null.</summary>
    public string? Result { get; }

    /// <summary>Whether it is what a person calls by this name: no explicit interface implementation and nothing that a compiler made up.</summary>
    public bool IsOrdinary
    {
        get
        {
            string name = Name.StartsWith("#ctor", StringComparison.Ordinal) ? Name[1..] : Name;
            return name.AsSpan().IndexOfAny("#<>$") < 0 && Type.AsSpan().IndexOfAny("<>$") < 0 && !Name.StartsWith("__", StringComparison.Ordinal);
        }
    }

    /// <summary>Takes an identifier apart; null where it is none.</summary>
    public static MemberName? Parse(string? identifier)
    {
        if (identifier is not { Length: > 2 } || identifier[1] != ':' || !"TMPFE".Contains(identifier[0], StringComparison.Ordinal)) return null;
        char kind = identifier[0];
        string body = identifier[2..];
        if (kind == 'T') return new MemberName(kind, body, "", null, null);

        string? result = null, parameters = null;
        int tilde = body.LastIndexOf('~');
        if (tilde > 0)
        {
            result = body[(tilde + 1)..];
            body = body[..tilde];
        }

        int open = body.IndexOf('(', StringComparison.Ordinal);
        if (open > 0)
        {
            int close = body.LastIndexOf(')');
            parameters = close > open ? body[(open + 1)..close] : "";
            body = body[..open];
        }

        int dot = body.LastIndexOf('.');
        return dot <= 0 || dot == body.Length - 1 ? null : new MemberName(kind, body[..dot], body[(dot + 1)..], parameters, result);
    }

    /// <summary>A type as C# writes it, without namespaces: <c>Dictionary&lt;TKey, TValue&gt;</c>.</summary>
    /// <param name="type">The identifier's form, generic parameters as <c>`0</c> and <c>``0</c>, arguments in braces.</param>
    /// <param name="typeParameters">Names for <c>`n</c>; where too short, T, T2, T3 …</param>
    /// <param name="methodParameters">Names for <c>``n</c>.</param>
    public static string ReadableType(string type, IReadOnlyList<string> typeParameters, IReadOnlyList<string> methodParameters)
    {
        var text = new StringBuilder();
        WriteType(text, type, typeParameters, methodParameters);
        return text.ToString();
    }

    /// <summary>The type's own heading: namespace kept, arity turned into names.</summary>
    public static string ReadableDeclaration(string type, IReadOnlyList<string> typeParameters)
    {
        var text = new StringBuilder();
        int used = 0;
        for (int i = 0; i < type.Length;)
        {
            if (type[i] != '`')
            {
                text.Append(type[i++]);
                continue;
            }

            int arity = ReadNumber(type, ref i);
            WriteParameterNames(text, typeParameters, used, arity);
            used += arity;
        }

        return text.ToString();
    }

    /// <summary>The member as C# would show it: <c>Add(T item)</c>, <c>List(int capacity)</c>, <c>this[int index]</c>, <c>explicit operator byte(decimal value)</c>.</summary>
    /// <param name="typeParameters">Names of the type's generic parameters.</param>
    /// <param name="methodParameters">Names of the method's own.</param>
    /// <param name="parameterNames">Names in order; left out where their number differs from the number of parameters.</param>
    public string Readable(IReadOnlyList<string> typeParameters, IReadOnlyList<string> methodParameters, IReadOnlyList<string> parameterNames)
    {
        string simpleType = SimpleName(Type);
        string name = Name;
        int arity = 0;
        int tick = name.IndexOf("``", StringComparison.Ordinal);
        if (tick > 0)
        {
            int at = tick + 1;
            arity = ReadNumber(name, ref at);
            name = name[..tick];
        }

        if (Kind is 'F' or 'E') return name;
        if (Kind == 'P' && Parameters is null) return name;

        var text = new StringBuilder();
        string closing = ")";
        if (Kind == 'P')
        {
            text.Append("this[");
            closing = "]";
        }
        else if (name == "#ctor")
        {
            text.Append(simpleType).Append('(');
        }
        else if (name is "op_Explicit" or "op_Implicit" && Result is not null)
        {
            text.Append(name == "op_Explicit" ? "explicit operator " : "implicit operator ");
            WriteType(text, Result, typeParameters, methodParameters);
            text.Append('(');
        }
        else if (name.StartsWith("op_", StringComparison.Ordinal))
        {
            text.Append("operator ").Append(name, 3, name.Length - 3).Append('(');
        }
        else
        {
            text.Append(name);
            if (arity > 0) WriteParameterNames(text, methodParameters, 0, arity);
            text.Append('(');
        }

        if (!string.IsNullOrEmpty(Parameters))
        {
            List<string> types = SplitArguments(Parameters);
            bool named = types.Count == parameterNames.Count;
            for (int i = 0; i < types.Count; i++)
            {
                if (i > 0) text.Append(", ");
                WriteType(text, types[i], typeParameters, methodParameters);
                if (named) text.Append(' ').Append(parameterNames[i]);
            }
        }

        return text.Append(closing).ToString();
    }

    /// <summary>What a cross reference reads as inside a sentence: the type or <c>Type.Member</c>, no namespace, no arguments.</summary>
    public static string ReadableReference(string cref)
    {
        MemberName? name = Parse(cref);
        if (name is null) return cref.Length > 2 && cref[1] == ':' ? cref[2..] : cref;
        string type = SimpleName(name.Type);
        if (name.Kind == 'T') return type;
        string member = name.Name;
        int tick = member.IndexOf('`', StringComparison.Ordinal);
        if (tick > 0) member = member[..tick];
        if (member == "#ctor") return type;
        return type + "." + member;
    }

    /// <summary>Last part of a type's name, without arity: <c>List</c>.</summary>
    public static string SimpleName(string type)
    {
        int dot = type.LastIndexOf('.');
        string name = dot < 0 ? type : type[(dot + 1)..];
        int tick = name.IndexOf('`', StringComparison.Ordinal);
        return tick > 0 ? name[..tick] : name;
    }

    private static void WriteType(StringBuilder text, string type, IReadOnlyList<string> typeParameters, IReadOnlyList<string> methodParameters)
    {
        // Suffixes apply from the inside out: [] and [0:,0:] arrays, * pointers, @ references.
        int end = type.Length;
        string suffix = "";
        while (end > 0)
        {
            char last = type[end - 1];
            if (last == '@') end--;
            else if (last == '*')
            {
                suffix = "*" + suffix;
                end--;
            }
            else if (last == ']')
            {
                int start = type.LastIndexOf('[', end - 1);
                if (start <= 0) break;
                int commas = type.AsSpan(start, end - start).Count(',');
                suffix = "[" + new string(',', commas) + "]" + suffix;
                end = start;
            }
            else
            {
                break;
            }
        }

        string core = type[..end];
        if (core.StartsWith("``", StringComparison.Ordinal)) WriteParameter(text, core[2..], methodParameters);
        else if (core.StartsWith('`')) WriteParameter(text, core[1..], typeParameters);
        else if (_keywords.TryGetValue(core, out string? keyword)) text.Append(keyword);
        else WriteNamedType(text, core, typeParameters, methodParameters);
        text.Append(suffix);
    }

    private static void WriteNamedType(StringBuilder text, string core, IReadOnlyList<string> typeParameters, IReadOnlyList<string> methodParameters)
    {
        int open = core.IndexOf('{', StringComparison.Ordinal);
        int close = core.LastIndexOf('}');
        if (open <= 0 || close < open)
        {
            text.Append(SimpleName(core));
            return;
        }

        List<string> arguments = SplitArguments(core[(open + 1)..close]);
        if (core[..open] == "System.Nullable" && arguments.Count == 1)
        {
            WriteType(text, arguments[0], typeParameters, methodParameters);
            text.Append('?');
            return;
        }

        text.Append(SimpleName(core[..open])).Append('<');
        for (int i = 0; i < arguments.Count; i++)
        {
            if (i > 0) text.Append(", ");
            WriteType(text, arguments[i], typeParameters, methodParameters);
        }

        text.Append('>');
    }

    private static List<string> SplitArguments(string list)
    {
        var parts = new List<string>();
        int depth = 0, start = 0;
        for (int i = 0; i < list.Length; i++)
        {
            char c = list[i];
            if (c is '{' or '[' or '(') depth++;
            else if (c is '}' or ']' or ')') depth--;
            else if (c == ',' && depth == 0)
            {
                parts.Add(list[start..i]);
                start = i + 1;
            }
        }

        parts.Add(list[start..]);
        return parts;
    }

    private static void WriteParameter(StringBuilder text, string number, IReadOnlyList<string> names)
    {
        int i = int.TryParse(number, out int parsed) && parsed >= 0 ? parsed : 0;
        text.Append(ParameterName(names, i));
    }

    private static void WriteParameterNames(StringBuilder text, IReadOnlyList<string> names, int first, int count)
    {
        text.Append('<');
        for (int i = 0; i < count; i++)
        {
            if (i > 0) text.Append(", ");
            text.Append(ParameterName(names, first + i));
        }

        text.Append('>');
    }

    private static string ParameterName(IReadOnlyList<string> names, int i) => i < names.Count ? names[i] : i == 0 ? "T" : $"T{i + 1}";

    // At a tick: skips ticks, reads the number after them (at most 64: an arity, not a size from a hostile file).
    private static int ReadNumber(string text, ref int at)
    {
        while (at < text.Length && text[at] == '`') at++;
        int value = 0;
        while (at < text.Length && char.IsAsciiDigit(text[at])) value = Math.Min(64, value * 10 + (text[at++] - '0'));
        return value;
    }
}
