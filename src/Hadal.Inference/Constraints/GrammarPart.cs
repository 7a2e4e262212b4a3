using System.Text;
using System.Text.Json;
using Hadal.Inference.Constraints.Automata;
using Hadal.Inference.Constraints.Grammar;
using Hadal.Inference.Constraints.Schema;

namespace Hadal.Inference.Constraints;

/// <summary>
/// A part of a grammar, to be put together with others: fixed text, JSON, free text, added tokens, in sequence, as alternatives and repeated. Immutable. A call of a tool, for
/// instance, is a sequence of an opening literal, the JSON of its arguments and a closing literal.
/// </summary>
public sealed class GrammarPart
{
    private GrammarPart(GrammarNode node, IEnumerable<int> tokens, bool mayBeEmpty, bool isOpenEnded = false)
        => (Node, Tokens, MayBeEmpty, IsOpenEnded) = (node, [.. tokens.Distinct()], mayBeEmpty, isOpenEnded);

    internal GrammarNode Node { get; }

    /// <summary>The added tokens it asks for.</summary>
    internal IReadOnlyList<int> Tokens { get; }

    private bool MayBeEmpty { get; }

    /// <summary>Whether it is free text, whose end no byte shows.</summary>
    private bool IsOpenEnded { get; }

    /// <summary>A fixed text.</summary>
    /// <param name="text">The text, not empty.</param>
    public static GrammarPart Literal(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        return new GrammarPart(new LiteralTerminal(Encoding.UTF8.GetBytes(text)), [], false);
    }

    /// <summary>One of some fixed texts.</summary>
    /// <param name="texts">The texts, at least one, none empty.</param>
    public static GrammarPart Choice(IReadOnlyList<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (texts.Count == 0) throw new ArgumentException("A choice has at least one text.", nameof(texts));
        foreach (string text in texts) ArgumentException.ThrowIfNullOrEmpty(text, nameof(texts));
        return new GrammarPart(new TextSetTerminal(texts.Select(Encoding.UTF8.GetBytes)), [], false);
    }

    /// <summary>One added token, such as a mark of a chat format, which has no bytes of its own.</summary>
    /// <param name="id">Its id.</param>
    public static GrammarPart Token(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        return new GrammarPart(new TokenTerminal(id), [id], false);
    }

    /// <summary>Any JSON object.</summary>
    public static GrammarPart Json() => new(JsonText.AnyObject, [], false);

    /// <summary>JSON that a schema describes.</summary>
    /// <param name="schema">A JSON Schema.</param>
    /// <param name="limits">How much it may ask for; <see cref="ConstraintLimits.Default"/> when null.</param>
    /// <exception cref="ConstraintException">The schema is malformed, unsupported, contradictory or beyond a limit; the message says where.</exception>
    public static GrammarPart JsonSchema(string schema, ConstraintLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return new GrammarPart(SchemaCompiler.Compile(schema, limits ?? ConstraintLimits.Default), [], false);
    }

    /// <summary>JSON that a schema describes.</summary>
    /// <param name="schema">A JSON Schema.</param>
    /// <param name="limits">How much it may ask for; <see cref="ConstraintLimits.Default"/> when null.</param>
    /// <exception cref="ConstraintException">The schema is malformed, unsupported, contradictory or beyond a limit; the message says where.</exception>
    public static GrammarPart JsonSchema(JsonElement schema, ConstraintLimits? limits = null)
        => new(SchemaCompiler.Compile(schema, limits ?? ConstraintLimits.Default), [], false);

    /// <summary>Free text, which may be empty. What follows it must be an added token or nothing: no byte would show where the text ends.</summary>
    public static GrammarPart Text()
        => new(ByteTable.Explore(0, [], true, static (_, _) => 0, static _ => true, 1)!, [], true, isOpenEnded: true);

    /// <summary>Free text up to and with the first occurrence of a literal.</summary>
    /// <param name="literal">The literal, not empty.</param>
    public static GrammarPart TextThrough(string literal)
    {
        ArgumentException.ThrowIfNullOrEmpty(literal);
        byte[] text = Encoding.UTF8.GetBytes(literal);
        // How much of the literal is at the end of what was read, by the longest of its beginnings that end so.
        int[] shorter = new int[text.Length];
        for (int i = 1, k = 0; i < text.Length; i++)
        {
            while (k > 0 && text[i] != text[k]) k = shorter[k - 1];
            if (text[i] == text[k]) k++;
            shorter[i] = k;
        }

        int? Step(int matched, int value)
        {
            if (matched == text.Length) return null;
            while (matched > 0 && text[matched] != value) matched = shorter[matched - 1];
            return text[matched] == value ? matched + 1 : matched;
        }

        return new GrammarPart(ByteTable.Explore(0, [.. text.Distinct()], true, Step, s => s == text.Length, int.MaxValue)!, [], false);
    }

    /// <summary>Parts one after the other.</summary>
    /// <param name="parts">The parts.</param>
    /// <exception cref="ArgumentException">Free text is followed by something that is not an added token.</exception>
    public static GrammarPart Sequence(params IReadOnlyList<GrammarPart> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        for (int i = 0; i + 1 < parts.Count; i++)
        {
            if (parts[i].IsOpenEnded && parts[i + 1].Node is not TokenTerminal)
                throw new ArgumentException($"What follows free text must be an added token; use {nameof(TextThrough)} for text up to a literal.", nameof(parts));
        }

        return new GrammarPart(
            new Series([.. parts.Select(static p => p.Node)]), parts.SelectMany(static p => p.Tokens), parts.All(static p => p.MayBeEmpty), parts.Count > 0 && parts[^1].IsOpenEnded);
    }

    /// <summary>One of several parts.</summary>
    /// <param name="parts">The parts, at least one.</param>
    public static GrammarPart OneOf(params IReadOnlyList<GrammarPart> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        if (parts.Count == 0) throw new ArgumentException("There is at least one alternative.", nameof(parts));
        return new GrammarPart(
            new Alternatives(parts.Select(static p => p.Node)), parts.SelectMany(static p => p.Tokens), parts.Any(static p => p.MayBeEmpty), parts.Any(static p => p.IsOpenEnded));
    }

    /// <summary>A part several times.</summary>
    /// <param name="part">The part, which must not be empty or end in free text.</param>
    /// <param name="least">How many times at least.</param>
    /// <param name="greatest">How many times at most; <see cref="int.MaxValue"/> for any number.</param>
    /// <param name="separator">What stands between two turns, if anything; not empty either.</param>
    /// <exception cref="ArgumentException">The part or separator may be empty or ends in free text.</exception>
    public static GrammarPart Repeat(GrammarPart part, int least = 0, int greatest = int.MaxValue, GrammarPart? separator = null)
    {
        ArgumentNullException.ThrowIfNull(part);
        ArgumentOutOfRangeException.ThrowIfNegative(least);
        ArgumentOutOfRangeException.ThrowIfLessThan(greatest, Math.Max(1, least));
        if (part.MayBeEmpty || part.IsOpenEnded) throw new ArgumentException("What is repeated must not be empty or end in free text.", nameof(part));
        if (separator is { MayBeEmpty: true } or { IsOpenEnded: true }) throw new ArgumentException("A separator must not be empty or end in free text.", nameof(separator));
        return new GrammarPart(new Repetition(part.Node, separator?.Node, least, greatest), part.Tokens.Concat(separator?.Tokens ?? []), least == 0);
    }
}
