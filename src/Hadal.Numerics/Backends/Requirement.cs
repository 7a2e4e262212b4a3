using System.Runtime.CompilerServices;

namespace Hadal.Numerics;

/// <summary>The text of a broken requirement, composed only if it is broken: a check that holds allocates nothing.</summary>
[InterpolatedStringHandler]
internal ref struct Requirement
{
    private DefaultInterpolatedStringHandler _text;

    public Requirement(int literalLength, int formattedCount, bool condition, out bool broken)
    {
        broken = !condition;
        _text = broken ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
    }

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public string TakeText() => _text.ToStringAndClear();
}
