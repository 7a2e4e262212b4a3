namespace Hadal.Model.Tokenization;

/// <summary>A token that is cut out of the text as a whole before anything else.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">The text it stands for.</param>
/// <param name="SingleWord">It counts only where no word character touches it.</param>
/// <param name="StripLeft">It takes the white space before it along.</param>
/// <param name="StripRight">It takes the white space after it along.</param>
/// <param name="Normalized">It is looked for after normalisation, and after the tokens that are not.</param>
/// <param name="Special">It is left out of decoded text when special tokens are skipped.</param>
internal sealed record AddedToken(int Id, string Content, bool SingleWord, bool StripLeft, bool StripRight, bool Normalized, bool Special);
