"""What WhatsApp says of a chat in Portuguese: one sentence on a line."""

LINES = """
as mensagens e as ligações são protegidas com a criptografia de ponta a ponta{}
as mensagens e ligações são protegidas com a criptografia de ponta a ponta{}
as mensagens e as chamadas são encriptadas ponto a ponto{}
as mensagens e chamadas são encriptadas ponto a ponto{}
as mensagens que você enviar {} agora são protegidas com a criptografia{}
seu código de segurança com {who} mudou{}
o código de segurança de {who} mudou{}
esta conversa é com uma conta comercial{}
esta empresa usa um serviço seguro{}
esta empresa trabalha com outras empresas{}
{who} é um contato
você ativou as mensagens temporárias{}
você desativou as mensagens temporárias{}
você atualizou a duração das mensagens{}
{who} ativou as mensagens temporárias{}
{who} desativou as mensagens temporárias{}
{who} atualizou a duração das mensagens{}
você bloqueou este contato{}
você desbloqueou este contato{}
você criou o grupo {}
{who} criou o grupo {}
{who} criou este grupo
você mudou o nome {}
{who} mudou o nome {}
{who} alterou o nome {}
{who} mudou a imagem do grupo
{who} mudou a descrição do grupo
{who} alterou a descrição do grupo
você foi adicionado
você foi adicionado(a)
você adicionou {new}
{who} adicionou {new}
{joiner} foi adicionado
{joiner} foi adicionado(a)
{joiner} entrou {}
{who} saiu
{who} saiu do grupo
você removeu {}
{who} removeu {}
{who} foi removido
agora você é um admin
{who} agora é um admin
{who} mudou o número de telefone{}
{who} fixou uma mensagem
chamada de voz perdida
chamada de voz perdida, {}
chamada de voz perdida. {}
ligação de voz perdida
ligação de voz perdida, {}
ligação de voz perdida. {}
chamada de vídeo perdida
chamada de vídeo perdida, {}
ligação de vídeo perdida
ligação de vídeo perdida, {}
ligação de voz, {}
chamada de voz, {}
ligação de vídeo, {}
chamada de vídeo, {}
"""
