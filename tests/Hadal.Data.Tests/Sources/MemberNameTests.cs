using Hadal.Data.Sources.Documentation;

namespace Hadal.Data.Tests.Sources;

public class MemberNameTests
{
    [Theory]
    [InlineData("M:System.Collections.Generic.List`1.Add(`0)", "item", "Add(T item)")]
    [InlineData("M:System.Array.ConvertAll``2(``0[],System.Converter{``0,``1})", "array,converter", "ConvertAll<TInput, TOutput>(TInput[] array, Converter<TInput, TOutput> converter)")]
    [InlineData("M:System.Collections.BitArray.#ctor(System.Boolean[])", "values", "BitArray(bool[] values)")]
    [InlineData("M:System.Collections.BitArray.#ctor", "", "BitArray()")]
    [InlineData("P:System.Collections.Generic.List`1.Item(System.Int32)", "index", "this[int index]")]
    [InlineData("P:System.Collections.Generic.List`1.Count", "", "Count")]
    [InlineData("F:System.Int32.MaxValue", "", "MaxValue")]
    [InlineData("E:System.AppDomain.ProcessExit", "", "ProcessExit")]
    [InlineData("M:System.Decimal.op_Explicit(System.Decimal)~System.Byte", "value", "explicit operator byte(decimal value)")]
    [InlineData("M:System.Decimal.op_Addition(System.Decimal,System.Decimal)", "d1,d2", "operator Addition(decimal d1, decimal d2)")]
    [InlineData("M:A.B.M(System.Nullable{System.Int32},System.Int32[0:,0:],System.Byte*,System.Int32@)", "a,b,c,d", "M(int? a, int[,] b, byte* c, int d)")]
    [InlineData("M:A.B.M(System.Collections.Generic.IDictionary{System.String,System.Collections.Generic.List{System.Int32[]}})", "x", "M(IDictionary<string, List<int[]>> x)")]
    [InlineData("M:A.B.M(System.Int32,System.Int32)", "onlyOne", "M(int, int)")]
    public void A_member_reads_as_in_source(string identifier, string parameters, string expected)
    {
        MemberName name = MemberName.Parse(identifier)!;
        string[] methodParameters = name.Name.Contains("``2", StringComparison.Ordinal) ? ["TInput", "TOutput"] : [];
        Assert.Equal(expected, name.Readable(["T"], methodParameters, parameters.Split(',', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Theory]
    [InlineData("T:System.Collections.Generic.List`1", "List")]
    [InlineData("M:System.String.Join(System.Char,System.Object[])", "String.Join")]
    [InlineData("P:System.ArgumentException.ParamName", "ArgumentException.ParamName")]
    [InlineData("M:System.Collections.BitArray.#ctor", "BitArray")]
    [InlineData("M:System.Linq.Enumerable.Select``2(System.Collections.Generic.IEnumerable{``0})", "Enumerable.Select")]
    [InlineData("!:Unknown.Thing", "Unknown.Thing")]
    [InlineData("Plain", "Plain")]
    [InlineData("", "")]
    public void A_reference_reads_as_inside_a_sentence(string cref, string expected) => Assert.Equal(expected, MemberName.ReadableReference(cref));

    [Fact]
    public void Arity_becomes_parameter_names() =>
        Assert.Equal("System.Collections.Generic.Dictionary<TKey, TValue>.Enumerator", MemberName.ReadableDeclaration("System.Collections.Generic.Dictionary`2.Enumerator", ["TKey", "TValue"]));

    [Theory]
    [InlineData("M:System.Collections.Generic.List`1.System#Collections#IList#Add(System.Object)", false)]
    [InlineData("T:System.Text.RegularExpressions.Generated.<RegexGenerator_g>F3B.Utilities", false)]
    [InlineData("F:Windows.Value.__padding", false)]
    [InlineData("M:System.Uri.#ctor(System.String)", true)]
    public void Names_that_nobody_calls_are_told_apart(string identifier, bool ordinary) => Assert.Equal(ordinary, MemberName.Parse(identifier)!.IsOrdinary);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("N:System")]
    [InlineData("X:System.String")]
    [InlineData("M:NoType")]
    [InlineData("M:EndsIn.")]
    public void What_is_no_member_is_null(string? identifier) => Assert.Null(MemberName.Parse(identifier));

    [Fact]
    public void Damaged_names_never_throw()
    {
        // Seeded mutants of real names; the assertion is that reading any of them ends without an exception.
        string[] names =
        [
            "M:System.Array.ConvertAll``2(``0[],System.Converter{``0,``1})~System.Byte[0:,0:]*@", "P:A`1.B.Item(System.Nullable{`0})", "T:System.Collections.Generic.Dictionary`2.Enumerator",
        ];
        var random = new Random(7);
        const string Alphabet = "`{}[]()@*~.,:#0T";
        int read = 0;
        for (int i = 0; i < 20_000; i++)
        {
            char[] name = names[i % names.Length].ToCharArray();
            for (int k = random.Next(1, 5); k > 0; k--) name[random.Next(name.Length)] = Alphabet[random.Next(Alphabet.Length)];
            string mutant = new string(name, 0, random.Next(name.Length) + 1);
            MemberName.ReadableReference(mutant);
            if (MemberName.Parse(mutant) is not { } parsed) continue;
            read++;
            Assert.NotNull(parsed.Readable([], [], []));
            Assert.NotNull(MemberName.ReadableDeclaration(parsed.Type, []));
        }

        Assert.True(read > 1000, $"only {read} mutants were names at all");
    }
}
