using System.Text;
using System.Xml;
using Hadal.Data.Sources;
using Hadal.Data.Sources.Documentation;

namespace Hadal.Data.Tests.Sources;

public class DocumentationFileTests
{
    private const string Stack = """
        <?xml version="1.0" encoding="utf-8"?>
        <doc>
          <assembly><name>Sample</name></assembly>
          <members>
            <member name="T:Sample.Stack`1">
              <summary>A stack of
                 <typeparamref name="T" /> values.
                 <para>It grows.</para></summary>
              <typeparam name="T">What it holds.</typeparam>
            </member>
            <member name="M:Sample.Stack`1.Push(`0)">
              <summary>Puts <paramref name="item" /> on top of the <see cref="T:Sample.Stack`1" />, never <see langword="null" />.</summary>
              <param name="item">The value.</param>
              <exception cref="T:System.InvalidOperationException">
                <paramref name="item" /> is <see langword="null" />.

         -or-

         The stack is full.</exception>
              <returns>One of <list type="table"><listheader><term>Value</term><description>Meaning</description></listheader><item><term> 1</term><description> It worked.</description></item><item><description>It did not: 2<sup>31</sup> values.</description></item></list></returns>
              <remarks>See <see href="https://example.org/">this page</see> and <c>Pop</c>:<code>
                 if (x)
                     stack.Push(x);
              </code></remarks>
            </member>
            <member name="P:Sample.Stack`1.Count"><summary>How many.</summary><value>At least 0.</value></member>
            <member name="M:Sample.Stack`1.Silent"><summary /></member>
            <member name="M:Sample.Stack`1.Inherited"><inheritdoc /></member>
            <member name="M:Sample.Stack`1.Sample#IBag#Add(`0)"><summary>Explicit.</summary></member>
            <member name="P:Sample.Resources.Text"><summary>Looks up a string.</summary></member>
            <member name="T:Sample.Empty" />
          </members>
        </doc>
        """;

    [Fact]
    public void A_type_becomes_one_readable_text()
    {
        Document document = Assert.Single(Read(Stack));
        Assert.Equal("Sample.Stack`1", document.Id);
        Assert.Equal(
            """
            Sample.Stack<T>

            A stack of T values.

            It grows.
            T: What it holds.

            Push(T item)
            Puts item on top of the Stack, never null.

            See this page and Pop:
            if (x)
                stack.Push(x);
            item: The value.
            Returns: One of

            - 1: It worked.
            - It did not: 2^31 values.
            Throws InvalidOperationException: item is null.

            -or-

            The stack is full.

            Count
            How many.
            Value: At least 0.
            """.ReplaceLineEndings("\n"),
            document.Text);
    }

    [Fact]
    public void Document_types_and_entities_are_refused()
    {
        const string Bomb = "<!DOCTYPE doc [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><doc><members><member name=\"T:A\"><summary>&b;</summary></member></members></doc>";
        Assert.Throws<XmlException>(() => Read(Bomb));
    }

    [Fact]
    public void Absurd_nesting_is_refused_instead_of_ending_the_process()
    {
        string deep = string.Concat(Enumerable.Repeat("<para>", 200_000));
        Assert.Throws<XmlException>(() => Read($"<doc><members><member name=\"T:A\"><summary>{deep}"));
    }

    [Fact]
    public void Another_kind_of_xml_is_refused() => Assert.Throws<XmlException>(() => Read("<html><body/></html>"));

    [Fact]
    public void Mutants_are_read_or_refused_never_anything_else()
    {
        byte[] original = Encoding.UTF8.GetBytes(Stack);
        var random = new Random(11);
        int refused = 0;
        for (int i = 0; i < 10_000; i++)
        {
            byte[] mutant = [.. original];
            for (int k = random.Next(1, 4); k > 0; k--) mutant[random.Next(mutant.Length)] = (byte)random.Next(256);
            int length = random.Next(8) == 0 ? random.Next(mutant.Length) : mutant.Length;
            try
            {
                DocumentationFile.Read(new MemoryStream(mutant, 0, length));
            }
            catch (XmlException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1000, 9990);
    }

    private static IReadOnlyList<Document> Read(string xml) => DocumentationFile.Read(new MemoryStream(Encoding.UTF8.GetBytes(xml)));
}
