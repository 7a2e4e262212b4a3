using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>
/// The names that the open objects of one text have so far, so that none comes twice. The automata cannot know: names that no schema lists are as many as there are
/// texts. A value of this type is a mark: later names are added behind those of earlier marks in <see cref="NameLog"/>.
/// </summary>
/// <param name="Scope">The innermost open object; null outside.</param>
/// <param name="Depth">Open objects.</param>
/// <param name="Place">Where the text stands within a name, a place of <see cref="StringSyntax"/>; <see cref="StringSyntax.Closed"/> outside.</param>
/// <param name="NameStart">Where the name that is being read begins in the log.</param>
/// <param name="Characters">Characters in the log.</param>
internal readonly record struct UsedNames(NameScope? Scope, int Depth, int Place, int NameStart, int Characters)
{
    internal static UsedNames None { get; } = new(null, 0, StringSyntax.Closed, 0, 0);

    /// <summary>Takes a byte with which the machine went from one state to another.</summary>
    /// <returns>False when it closes a name that the object already has.</returns>
    internal static bool Step(ref UsedNames names, NameLog log, MachineState from, MachineState to, byte value)
    {
        var (scope, depth, place, start, characters) = names;
        if (place == StringSyntax.Closed && !from.InOpenName && to.InOpenName) (place, start) = (StringSyntax.Start, characters);
        if (place != StringSyntax.Closed)
        {
            place = StringSyntax.Step(place, value, out int character);
            if (place == StringSyntax.Dead) place = StringSyntax.Closed;
            if (character >= 0) log.Write(characters++, character);
            if (place == StringSyntax.Closed)
            {
                if (to.AtOpenNameEnd && log.IsUsed(scope, start, characters - start)) return false;
                scope = new NameScope(scope?.Outer, start, characters - start, scope);
            }
        }

        while (depth < to.Objects)
        {
            scope = new NameScope(scope, 0, -1, null);
            depth++;
        }

        while (depth > to.Objects)
        {
            scope = scope!.Outer;
            depth--;
        }

        names = new UsedNames(scope, depth, place, start, characters);
        return true;
    }
}

/// <summary>The names of an object, the last first. Immutable.</summary>
/// <param name="Outer">The names of the object around it.</param>
/// <param name="Start">Where the last name begins in the log.</param>
/// <param name="Length">Its characters; -1 for none.</param>
/// <param name="Earlier">The names before it.</param>
internal sealed record NameScope(NameScope? Outer, int Start, int Length, NameScope? Earlier);
