namespace Alt.Model.Tokenizers;

/// <summary>A token that is found in a text before the text is cut, as tokenizer.json's <c>added_tokens</c> say it.</summary>
/// <param name="SingleWord">It is not found inside of a word.</param>
/// <param name="LeftStrip">It takes the white space before it.</param>
/// <param name="RightStrip">It takes the white space after it.</param>
/// <param name="Normalized">It is sought, itself normalized, in the normalized text rather than in the text as given.</param>
/// <param name="Special">It is no text: found only where special tokens are asked for, and left out of a decoded text on request.</param>
/// <param name="InVocabulary">The model's own vocabulary holds it too.</param>
internal sealed record AddedToken(
    int Id, string Content, bool SingleWord, bool LeftStrip, bool RightStrip, bool Normalized, bool Special, bool InVocabulary)
{
    public static AddedToken Marker(int id, string content) => new(id, content, false, false, false, false, true, false);
}
