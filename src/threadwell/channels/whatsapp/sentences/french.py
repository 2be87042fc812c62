"""What WhatsApp says of a chat in French: one sentence on a line."""

LINES = """
les messages et les appels sont chiffrés de bout en bout{}
les messages et appels sont chiffrés de bout en bout{}
les messages envoyés dans ce groupe sont désormais protégés{}
les messages et les appels de cette discussion sont désormais protégés{}
votre code de sécurité avec {who} a changé{}
le code de sécurité de {who} a changé{}
cette discussion est avec un compte professionnel{}
cette entreprise utilise un service sécurisé{}
cette entreprise travaille avec d'autres entreprises{}
{who} est un contact
vous avez activé les messages éphémères{}
vous avez désactivé les messages éphémères{}
{who} a activé les messages éphémères{}
{who} a désactivé les messages éphémères{}
{who} a mis à jour la durée des messages{}
vous avez mis à jour la durée des messages{}
vous avez bloqué ce contact{}
vous avez débloqué ce contact{}
vous avez créé le groupe {}
vous avez créé ce groupe
{who} a créé le groupe {}
{who} a créé ce groupe
vous avez changé le sujet {}
vous avez modifié le nom du groupe {}
{who} a changé le sujet {}
{who} a changé le nom du groupe {}
{who} a modifié le nom du groupe {}
{who} a changé l'icône de ce groupe
{who} a changé la description du groupe
{who} a modifié la description du groupe
vous avez été ajouté
vous avez été ajouté(e)
vous avez ajouté {new}
{who} vous a ajouté
{who} a ajouté {new}
{joiner} a été ajouté
{joiner} a rejoint {}
{who} a quitté le groupe
{who} est parti
{who} est parti(e)
vous avez retiré {}
{who} a retiré {}
{who} a supprimé {}
vous êtes maintenant admin
{who} est maintenant admin
{who} a changé de numéro de téléphone{}
{who} a épinglé un message
appel vocal manqué
appel vocal manqué, {}
appel vocal manqué. {}
appel vidéo manqué
appel vidéo manqué, {}
appel vidéo manqué. {}
appel vocal, {}
appel vocal. {}
appel vidéo, {}
appel vidéo. {}
"""
